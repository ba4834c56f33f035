"""All applications of the product, opened once: routes are walked many times and change nothing that matters."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# What makes an operator and a village is told once, by the tests of the hub and the node.
for _beside in ("hub", "node"):
    sys.path.append(str(Path(__file__).parent.parent / _beside))

from doors import Apps, opened_apps  # noqa: E402


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONTAR_STATE", str(tmp_path_factory.mktemp("state")))
        with opened_apps(tmp_path_factory.mktemp("apps")) as made:
            yield made

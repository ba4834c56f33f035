from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from officer import Land, made_land


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Land]:
    with made_land(tmp_path) as made:
        yield made

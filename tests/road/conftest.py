from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from roadside import Road

from bench import world


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    hub = world.make_hub(tmp_path / "hub")
    yield Road(tmp_path, world.free_port(), hub)
    hub.close()

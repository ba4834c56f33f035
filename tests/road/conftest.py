from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from centre import made_hub
from roadside import Road

from bench import world


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    hub = made_hub(tmp_path / "hub")
    yield Road(tmp_path, world.free_port(), hub)
    hub.close()


@pytest.fixture(scope="module")
def _hub_at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    folder, port = tmp_path_factory.mktemp("at-work"), world.free_port()
    hub = made_hub(folder / "hub")
    with world.serving_hub(folder / "hub", port):
        yield Road(folder, port, hub)
    hub.close()


@pytest.fixture
def served(tmp_path: Path, _hub_at_work: Road) -> Road:
    """A folder for villages, and a hub that other tests use too and that is never stopped."""
    return Road(tmp_path, _hub_at_work.port, _hub_at_work.hub)

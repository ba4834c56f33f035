"""Real processes: a hub under gunicorn and nodes in folders, as `bench.world` makes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench import world
from hub.wiring import Hub
from node.wiring import Node


@dataclass
class Road:
    """A hub's folder and port, and the nodes that were made for it."""

    folder: Path
    port: int
    hub: Hub

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def node(self, name: str = "node", registered: bool = True) -> Node:
        """A node with the workload's courses; registered needs no running hub here."""
        made = world.make_node(self.folder / name, self.url)
        world.install_catalogue(self.folder / f"{name}-packs", made)
        return made

    def serving(self) -> world.Serving:
        return world.serving_hub(self.folder / "hub", self.port)

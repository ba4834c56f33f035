"""A centre and a village that only sticks go between."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from hub import mail, parts, registry, schema
from hub.db import reading, writing
from hub.wiring import Hub, now_ms, open_hub
from node.wiring import Node
from sync.courier import Taken
from sync.errors import LontarError
from sync.keys import key_id
from sync.stick import OUT, Stick


def taken(hub: Hub, stick: Stick) -> list[str]:
    """At the centre: everything on the stick is taken; returns the sentences about what wasn't."""
    refused = []
    for found in stick.parts(OUT):
        try:
            assert parts.take(hub.intake, stick.read_part(found)) in (Taken.NEW, Taken.HELD)
        except LontarError as problem:
            refused.append(problem.sentence())
    return refused


def visit_centre(hub: Hub, stick: Stick) -> None:
    assert taken(hub, stick) == []
    with writing(hub.engine) as connection:
        bag = mail.compose(connection, hub.config, "", now_ms())
    mail.put(hub.config, stick, bag)


def registered_by_stick(hub: Hub, node: Node, stick: Stick) -> None:
    visit_centre(hub, stick)
    node.bundles.trust(stick)
    node.bundles.write(stick)
    visit_centre(hub, stick)
    registry.approve(hub.engine, key_id(node.config.device_key.public), now_ms())
    visit_centre(hub, stick)
    node.bundles.read(stick)


def segments_of(node: Node) -> set[bytes]:
    with node.store.read() as db:
        return {bytes(one) for (one,) in db.execute("SELECT id FROM segments")}


def held_at(hub: Hub) -> set[bytes]:
    with reading(hub.engine) as connection:
        return {bytes(one) for one in connection.execute(select(schema.segments.c.id)).scalars()}


@contextlib.contextmanager
def as_it_was(hub: Path, to: Path) -> Iterator[Hub]:
    """The centre that has heard nothing of the village since it registered it."""
    shutil.copytree(hub, to)
    (to / "hub.toml").write_text(f'database_url = "sqlite:///{to / "hub.db"}"\n')
    with contextlib.closing(open_hub(to)) as opened:
        yield opened
    shutil.rmtree(to)

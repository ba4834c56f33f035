"""Indonesia's provinces, regencies, districts and villages by their official codes (PP.KK.CC.DDDD).

The list itself is read by `web/villages.py`. Codes change with every edition and names are not unique: nothing is
ever keyed on a name. Owns the table regions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, func, insert, select

from hub.db import writing
from hub.schema import regions
from web.villages import read_list

LEVELS: Final = {0: "nation", 2: "province", 5: "regency", 8: "district", 13: "village"}
"""The length of a code says what it is the code of."""
_BLOCK: Final = 5000


@dataclass(frozen=True, slots=True)
class Region:
    code: str
    parent: str
    name: str

    @property
    def level(self) -> str:
        return LEVELS[len(self.code)]


def parent_of(code: str) -> str:
    """The code one level up; "" above a province."""
    return code.rpartition(".")[0]


def load(engine: Engine, prefix: str = "") -> int:
    """Fill the table from the list, if it is empty; returns how many regions it holds.

    `prefix` takes only one region and what stands above it, for tests and small hubs.
    """
    with writing(engine) as connection:
        held = connection.execute(select(func.count()).select_from(regions)).scalar_one()
        if held:
            return int(held)
        rows = [
            {"code": code, "parent": parent_of(code), "name": name}
            for code, name in read_list()
            if code.startswith(prefix) or prefix.startswith(code)
        ]
        for at in range(0, len(rows), _BLOCK):
            connection.execute(insert(regions), rows[at : at + _BLOCK])
    return len(rows)


def find(connection: Connection, code: str) -> Region | None:
    row = connection.execute(select(regions).where(regions.c.code == code)).one_or_none()
    return None if row is None else Region(*row)


def children(connection: Connection, code: str) -> list[Region]:
    """What stands directly below `code`, by name."""
    query = select(regions).where(regions.c.parent == code).order_by(regions.c.name)
    return [Region(*row) for row in connection.execute(query)]


def path(connection: Connection, code: str) -> list[Region]:
    """The region and everything above it, the largest first."""
    codes = []
    while code:
        codes.append(code)
        code = parent_of(code)
    query = select(regions).where(regions.c.code.in_(codes)).order_by(func.length(regions.c.code))
    return [Region(*row) for row in connection.execute(query)]

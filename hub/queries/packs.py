"""Who has which version of a course: by their logs, among the registered laptops of the regions it is promised to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, false, func, or_, select

from hub import schema
from hub.places import within

_d: Final = schema.devices.c
_p: Final = schema.packs.c


@dataclass(frozen=True, slots=True)
class VersionCount:
    """How many laptops have this version as their newest; `version` is None for those without the course."""

    version: int | None
    devices: int


def scopes_of(connection: Connection, manifest_hash: bytes) -> list[str]:
    """The regions that a pack is promised to now."""
    o = schema.offers.c
    query = select(o.scope).where(o.manifest_hash == manifest_hash).order_by(o.scope)
    return list(connection.execute(query).scalars())


def versions(connection: Connection, course_key: bytes, scopes: Sequence[str]) -> list[VersionCount]:
    """The newest first, laptops without the course at the end."""
    newest = _newest(_p.course_key == course_key)
    query = (
        select(newest.c.version, func.count())
        .select_from(schema.devices.outerjoin(newest, newest.c.device == _d.pk))
        .where(_d.state == "registered", _in(scopes))
        .group_by(newest.c.version)
    )
    found = [VersionCount(version, count) for version, count in connection.execute(query)]
    return sorted(found, key=lambda one: -1 if one.version is None else one.version, reverse=True)


def count_lacking(connection: Connection, course_key: bytes, version: int, scopes: Sequence[str]) -> int:
    query = _lacking(course_key, version, scopes, func.count(func.distinct(_d.village)))
    return int(connection.execute(query).scalar_one())


def lacking(
    connection: Connection, course_key: bytes, version: int, scopes: Sequence[str], most: int, skip: int
) -> list[str]:
    """Villages with a laptop that has neither this version nor a newer one, by their codes."""
    query = _lacking(course_key, version, scopes, _d.village).distinct().order_by(_d.village)
    return list(connection.execute(query.limit(most).offset(skip)).scalars())


def newest_on(connection: Connection, devices: Sequence[int]) -> dict[int, dict[bytes, int]]:
    """The newest version of each course on these devices, by what their logs say."""
    newest = _newest(schema.logs.c.device.in_(devices), _p.course_key)
    found: dict[int, dict[bytes, int]] = {}
    for row in connection.execute(select(newest).order_by(newest.c.course_key)):
        found.setdefault(row.device, {})[bytes(row.course_key)] = row.version
    return found


def _lacking(course_key: bytes, version: int, scopes: Sequence[str], column: Any) -> Any:
    newest = _newest(_p.course_key == course_key)
    return (
        select(column)
        .select_from(schema.devices.outerjoin(newest, newest.c.device == _d.pk))
        .where(
            _d.state == "registered",
            _in(scopes),
            or_(newest.c.version.is_(None), newest.c.version < version),
        )
    )


def _newest(which: ColumnElement[bool], *columns: Any) -> Any:
    """The newest version on each device (and for each of `columns`), by what its logs say."""
    return (
        select(schema.logs.c.device, *columns, func.max(_p.version).label("version"))
        .join(schema.branches, schema.branches.c.log == schema.logs.c.pk)
        .join(schema.pack_numbers, schema.pack_numbers.c.branch == schema.branches.c.pk)
        .join(schema.packs, _p.pk == schema.pack_numbers.c.pack)
        .where(which)
        .group_by(schema.logs.c.device, *columns)
        .subquery()
    )


def _in(scopes: Sequence[str]) -> Any:
    return or_(*(within(scope) for scope in scopes)) if scopes else false()

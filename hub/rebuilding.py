"""Make everything merged anew from the segments, region by region; what comes of it is the same.

One device's rows are thrown away and merged again in one transaction, so that nobody ever sees half of them, and others
go on syncing meanwhile. The regions that are left are written down: a rebuild that was broken off goes on where it was,
and several processes can each take a region. Owns the setting "rebuild".
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, Engine, delete, func, or_, select, update

from hub import figures, identity, merge, schema, stale
from hub.db import insert_or_ignore, reading, writing
from hub.errors import BusyError
from hub.places import within
from sync import cbor

_KEY: Final = "rebuild"
_REGENCY: Final = 5
"""The length of a regency's code: devices of one are made anew together."""
_TRIES: Final = 5
"""Two who join people across regions can stand in each other's way; one of them then begins that device again."""

_d: Final = schema.devices
_l: Final = schema.learners
_s: Final = schema.segments


def left(engine: Engine) -> list[str]:
    """Regions of a rebuild that was begun and isn't done."""
    with reading(engine) as connection:
        return _left(connection)


def begin(engine: Engine) -> list[str]:
    """Write down that all regions must be made anew; returns them."""
    with writing(engine) as connection:
        region = func.substr(_d.c.village, 1, _REGENCY)
        regions = list(connection.execute(select(region).distinct().order_by(region)).scalars())
        _write(connection, regions)
        # Sums of villages that no device is of any more; those of all others are marked with each device.
        summed = schema.village_figures.c.village
        left_over = select(summed).where(summed.not_in(select(_d.c.village)))
        stale.mark(connection, connection.execute(left_over).scalars().all())
        return regions


def region(engine: Engine, code: str) -> int:
    """Make everything of a region's devices anew; returns how many entries they hold."""
    # A hub of a province is no device of one of its regencies.
    here = within(code) if len(code) == _REGENCY else _d.c.village == code
    with reading(engine) as connection:
        devices = (
            connection.execute(select(_d.c.pk).where(here).order_by(_d.c.village, _d.c.pk)).scalars().all()
        )
    entries = sum(_device(engine, device) for device in devices)
    figures.refresh(engine)
    return entries


def done(engine: Engine, code: str) -> None:
    """Cross a region off the list."""
    with writing(engine) as connection:
        _write(connection, [one for one in _left(connection) if one != code])


def everything(engine: Engine) -> int:
    """All regions, one after the other; returns how many entries are in them."""
    total = 0
    for code in begin(engine):
        total += region(engine, code)
        done(engine, code)
    return total


def _device(engine: Engine, device: int) -> int:
    for _ in range(_TRIES - 1):
        try:
            return _device_once(engine, device)
        except BusyError:
            continue
    return _device_once(engine, device)


def _device_once(engine: Engine, device: int) -> int:
    with writing(engine) as connection:
        return of_device(connection, device)


def of_device(connection: Connection, device: int) -> int:
    """Make everything of one device anew, in the caller's transaction; returns how many entries it holds."""
    of = select(schema.logs.c.pk).where(schema.logs.c.device == device)
    logs = connection.execute(of.order_by(schema.logs.c.pk).with_for_update()).scalars().all()
    village = select(_d.c.village).where(_d.c.pk == device)
    stale.mark(connection, (connection.execute(village).scalar_one(),))
    if not logs:
        return 0
    _throw_away(connection, device)
    connection.execute(
        update(_s)
        .where(_s.c.log.in_(logs), _s.c.state.in_((schema.MERGED, schema.UNREADABLE)))
        .values(state=schema.STORED, learners_after=None, packs_after=None, end_t=None)
    )
    return sum(merge.merge_within(connection, log, tells=False) for log in logs)


def turn(connection: Connection, segments: Collection[int], is_rejected: bool) -> None:
    """Let segments count, or no longer, whatever was decided of them before."""
    if not segments:
        return
    these = _s.c.pk.in_(list(segments))
    connection.execute(update(_s).where(these).values(rejected=int(is_rejected)))
    devices = select(schema.logs.c.device).join(_s, _s.c.log == schema.logs.c.pk)
    devices = devices.where(these, _s.c.state == schema.MERGED).distinct()
    for device in connection.execute(devices.order_by(schema.logs.c.device)).scalars().all():
        of_device(connection, device)


def _throw_away(connection: Connection, device: int) -> None:
    learners = select(_l.c.pk).where(_l.c.device == device)
    logs = select(schema.logs.c.pk).where(schema.logs.c.device == device)
    branches = select(schema.branches.c.pk).where(schema.branches.c.log.in_(logs))
    others = (
        connection.execute(select(_l.c.pk).where(_l.c.person.in_(learners), _l.c.device != device))
        .scalars()
        .all()
    )
    numbers = schema.learner_numbers.c
    for table in (schema.completions, *schema.row_tables.values(), schema.learner_profiles):
        connection.execute(delete(table).where(table.c.learner.in_(learners)))
    connection.execute(delete(schema.clock_notes).where(schema.clock_notes.c.log.in_(logs)))
    connection.execute(delete(schema.pack_numbers).where(schema.pack_numbers.c.branch.in_(branches)))
    connection.execute(
        delete(schema.learner_numbers).where(
            or_(numbers.branch.in_(branches), numbers.learner.in_(learners))
        )
    )
    connection.execute(delete(_l).where(_l.c.device == device))
    if others:
        identity.refresh(connection, others)


def _left(connection: Connection) -> list[str]:
    kept = connection.execute(select(schema.settings.c.value).where(schema.settings.c.key == _KEY)).scalar()
    return [] if kept is None else list(cbor.decode(bytes(kept)))


def _write(connection: Connection, regions: list[str]) -> None:
    if not regions:
        connection.execute(delete(schema.settings).where(schema.settings.c.key == _KEY))
        return
    made = insert_or_ignore(connection, schema.settings).values(key=_KEY, value=cbor.encode(regions))
    connection.execute(
        made.on_conflict_do_update(index_elements=["key"], set_={"value": made.excluded.value})
    )

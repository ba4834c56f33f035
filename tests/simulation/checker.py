"""What must be true of hubs and laptops. Reads their tables and segments, and trusts neither."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select
from state import merged_state

from hub import alerts, rebuilding, schema
from hub.db import reading
from hub.wiring import Hub
from node.wiring import Node
from simulation.checker_tables import check_courses, check_persons
from simulation.model import Model
from simulation.things import BrokenPromiseError
from sync import cbor
from sync.entries import QuestionAnswered
from sync.segment import open_segment

if TYPE_CHECKING:
    from simulation.land import Land

_s: Final = schema.segments.c
_d: Final = schema.devices.c


@functools.lru_cache(maxsize=100_000)
def _numbers(data: bytes) -> frozenset[int]:
    entries = open_segment(data).read().of_kinds({QuestionAnswered.number})
    return frozenset(int(QuestionAnswered.from_fields(entry.fields).seconds) for entry in entries)


def _all_numbers(segments: Iterable[bytes]) -> set[int]:
    return set().union(*(_numbers(bytes(data)) for data in segments))


def numbers_at(hub: Hub, *conditions: Any) -> set[int]:
    """The numbers of all answers in segments that a hub has stored."""
    with reading(hub.engine) as connection:
        return _all_numbers(connection.execute(select(_s.data).where(*conditions)).scalars())


def confirmed_on(node: Node) -> set[int]:
    """The numbers of all answers that a laptop shows as confirmed."""
    query = "SELECT s.data FROM segments s JOIN logs l ON l.pk = s.log WHERE s.idx <= l.confirmed"
    with node.store.read() as db:
        return _all_numbers(row[0] for row in db.execute(query))


def answers_on(node: Node) -> set[int]:
    """The numbers of all answers that a laptop's disk holds."""
    with node.store.read() as db:
        sealed = _all_numbers(row[0] for row in db.execute("SELECT data FROM segments"))
        query = "SELECT fields FROM pending WHERE kind = ?"
        waiting = db.execute(query, (QuestionAnswered.number,)).fetchall()
    return sealed | {QuestionAnswered.from_fields(cbor.decode(row[0])).seconds for row in waiting}


def erased_at(hub: Hub) -> set[bytes]:
    with reading(hub.engine) as connection:
        return {bytes(one) for one in connection.execute(select(schema.erased.c.commitment)).scalars()}


def revoked_at(hub: Hub) -> set[bytes]:
    with reading(hub.engine) as connection:
        query = select(_d.device).where(_d.state == "revoked")
        return {bytes(one) for one in connection.execute(query).scalars()}


def state_of(hub: Hub, device: bytes) -> str:
    """What a hub thinks of a device; empty if it has never heard of it."""
    with reading(hub.engine) as connection:
        return connection.execute(select(_d.state).where(_d.device == device)).scalar() or ""


def kept_out_at(hub: Hub) -> set[bytes]:
    """The devices whose word doesn't count there."""
    with reading(hub.engine) as connection:
        kept = connection.execute(select(_d.device).where(_d.state != "registered")).scalars()
        return {bytes(one) for one in kept}


def check_confirmed(hub: Hub, node: Node) -> None:
    """After an exchange, what the newest log shows as confirmed is at the hub.

    Raises:
        BrokenPromiseError: it isn't.
    """
    query = """SELECT s.data FROM segments s JOIN logs l ON l.pk = s.log
               WHERE s.idx <= l.confirmed AND l.pk = (SELECT max(pk) FROM logs)"""
    with node.store.read() as db:
        shown = _all_numbers(row[0] for row in db.execute(query))
    if missing := shown - numbers_at(hub, _s.state != schema.GAP):
        raise BrokenPromiseError(f"just shown as confirmed, and missing at the hub: {sorted(missing)}")


def check_revoked(hub: Hub, revoked: dict[bytes, int]) -> None:
    """What came of a revoked device after that doesn't count.

    Raises:
        BrokenPromiseError: it does.
    """
    query = select(_s.pk).join(schema.logs, schema.logs.c.pk == _s.log)
    query = query.join(schema.devices, _d.pk == schema.logs.c.device)
    with reading(hub.engine) as connection:
        for device, since in revoked.items():
            counts = query.where(_d.device == device, _s.received_ms > since, _s.state == schema.MERGED)
            counts = counts.where(_s.rejected == 0)
            if connection.execute(counts).first() is not None:
                raise BrokenPromiseError(f"a revoked device counts: {device.hex()}")


def check(land: Land, model: Model) -> None:
    """
    Raises:
        BrokenPromiseError: something is missing, was made up, counts twice, or comes out otherwise when made anew.
    """
    hub, honest = land.centre.hub, _honest(model)
    on_disks = set().union(*(laptop.holds for laptop in land.laptops)) - model.perhaps
    found = numbers_at(hub)
    if missing := ((on_disks & model.told_saved) | model.told_confirmed) - numbers_at(
        hub, _s.state != schema.GAP
    ):
        raise BrokenPromiseError(f"saved or confirmed, and missing at the hub: {sorted(missing)}")
    above = land.nation.hub
    if forged := (found | numbers_at(above)) - model.allowed():
        raise BrokenPromiseError(f"at a hub, and nobody answered so: {sorted(forged)}")
    for name, one in (("hub", hub), ("nation's hub", above)):
        # What waits for a parent that no disk holds any more is kept, and can't count.
        counted = numbers_at(one, _s.rejected == 0, _s.state != schema.GAP, _s.log.in_(honest))
        expected = (len(counted), sum(counted))
        if (sums := _sums(one, model)) != expected:
            raise BrokenPromiseError(f"answers and seconds at the {name} are {sums}, not {expected}")
    sent = numbers_at(hub, _s.rejected == 0, _s.state != schema.GAP, _s.log.in_(honest))
    if lacking := sent - numbers_at(above):
        raise BrokenPromiseError(f"at the hub, and not at the nation's: {sorted(lacking)}")
    for one in (hub, above):
        before = merged_state(one)
        rebuilding.everything(one.engine)
        if (after := merged_state(one)) != before:
            differs = [name for name in before if before[name] != after[name]]
            raise BrokenPromiseError(f"made anew from its segments, a hub says otherwise: {differs}")
        _check_forks(one)
        check_persons(one)
    check_courses(land)
    _check_erased(land, model)
    _check_villages(land, found)


def _honest(model: Model) -> Any:
    """The logs of devices that don't lie. What a liar says of itself is bounded by what else is checked."""
    rogues = [one.id for one in model.rogues]
    return select(schema.logs.c.pk).join(schema.devices).where(_d.device.not_in(rogues))


def _sums(hub: Hub, model: Model) -> tuple[int, int]:
    table, learners = schema.lesson_progress.c, schema.learners.c
    query = select(func.coalesce(func.sum(table.answers), 0), func.coalesce(func.sum(table.seconds), 0))
    query = query.join(schema.learners, learners.pk == table.learner)
    query = query.join(schema.devices, _d.pk == learners.device)
    query = query.where(_d.device.not_in([one.id for one in model.rogues]))
    with reading(hub.engine) as connection:
        answers, seconds = connection.execute(query).one()
    return int(answers), int(seconds)


def _check_forks(hub: Hub) -> None:
    """Every log that has two ends was reported."""
    b, logs = schema.branches.c, schema.logs.c
    with reading(hub.engine) as connection:
        ends = select(b.log).group_by(b.log).having(func.count() > 1)
        forked = select(logs.device).where(logs.pk.in_(ends))
        told = select(schema.alerts.c.device).where(schema.alerts.c.kind == alerts.FORK)
        silent = set(connection.execute(forked).scalars()) - set(connection.execute(told).scalars())
    if silent:
        raise BrokenPromiseError(f"forks that nobody was told of: devices {sorted(silent)}")


def _check_erased(land: Land, model: Model) -> None:
    """What was to be erased is on no disk that has been heard of since."""
    for one in (land.centre, land.nation):
        with reading(one.hub.engine) as connection:
            kept = {
                bytes(row) for row in connection.execute(select(schema.profiles.c.commitment)).scalars()
            }
        if left := kept & model.erased:
            raise BrokenPromiseError(f"{len(left)} erased profiles are still at {one.folder.name}")
    for laptop in land.laptops:
        with laptop.on().store.read() as db:
            kept = {bytes(row[0]) for row in db.execute("SELECT commitment FROM profiles")}
        if left := kept & model.erased:
            raise BrokenPromiseError(f"{len(left)} erased profiles are still on {laptop.name}")


def _check_villages(land: Land, at_hub: set[int]) -> None:
    """No laptop holds another village's answers, and what neighbours gave each other has come to the hub."""
    query = "SELECT data FROM segments UNION ALL SELECT data FROM history"
    held: dict[str, set[int]] = {}
    for laptop in land.laptops:
        with laptop.on().store.read() as db:
            rows = [row[0] for row in db.execute(query)]
        numbers = _all_numbers(rows)
        if left := numbers - at_hub:
            raise BrokenPromiseError(f"{laptop.name} holds what the hub has never got: {sorted(left)}")
        held.setdefault(laptop.village, set()).update(numbers)
    villages = list(held)
    for at, one in enumerate(villages):
        for other in villages[at + 1 :]:
            if both := held[one] & held[other]:
                raise BrokenPromiseError(f"{one} and {other} both hold {sorted(both)}")

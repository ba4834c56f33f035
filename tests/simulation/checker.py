"""What must be true of a hub when everything is well again. Reads its tables and segments, and trusts neither."""

from __future__ import annotations

from sqlalchemy import func, select

from hub import rebuilding, schema
from hub.db import reading
from hub.wiring import Hub
from node.wiring import Node
from sync.entries import Entry, QuestionAnswered
from sync.segment import open_segment


class BrokenPromiseError(AssertionError):
    """A promise didn't hold."""


def _number(entry: Entry) -> int:
    return int(QuestionAnswered.from_fields(entry.fields).seconds)


def numbers_at(hub: Hub) -> set[int]:
    """The numbers of all answers that a hub has stored."""
    with reading(hub.engine) as connection:
        stored = connection.execute(select(schema.segments.c.data)).scalars().all()
    return {
        _number(entry)
        for data in stored
        for entry in open_segment(bytes(data)).read().entries()
        if entry.kind == QuestionAnswered.number
    }


def confirmed_on(node: Node) -> set[int]:
    """The numbers of all answers that a laptop shows as confirmed."""
    query = "SELECT s.data FROM segments s JOIN logs l ON l.pk = s.log WHERE s.idx <= l.confirmed"
    with node.store.read() as db:
        rows = db.execute(query).fetchall()
    return {
        _number(entry)
        for (data,) in rows
        for entry in open_segment(data).read().entries()
        if entry.kind == QuestionAnswered.number
    }


def check_hub(hub: Hub, required: set[int], allowed: set[int]) -> None:
    """
    Raises:
        BrokenPromiseError: something is missing, was made up, counts twice, or comes out otherwise when made anew.
    """
    found = numbers_at(hub)
    if missing := required - found:
        raise BrokenPromiseError(f"saved or confirmed, and missing at the hub: {sorted(missing)}")
    if forged := found - allowed:
        raise BrokenPromiseError(f"at the hub, and nobody answered so: {sorted(forged)}")
    sums = _sums(hub)
    if sums != (len(found), sum(found)):
        raise BrokenPromiseError(
            f"answers and seconds at the hub are {sums}, not {(len(found), sum(found))}"
        )
    rebuilding.everything(hub.engine)
    if _sums(hub) != sums:
        raise BrokenPromiseError(f"made anew, they are {_sums(hub)}, not {sums}")


def _sums(hub: Hub) -> tuple[int, int]:
    table = schema.lesson_progress.c
    query = select(func.coalesce(func.sum(table.answers), 0), func.coalesce(func.sum(table.seconds), 0))
    with reading(hub.engine) as connection:
        answers, seconds = connection.execute(query).one()
    return int(answers), int(seconds)

"""How many people of a village have completed a course, told to webhooks when that may have become more. Names nobody."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, distinct, func, select

from hub import outbox, schema

_cp: Final = schema.course_progress.c
_l: Final = schema.learners.c
_p: Final = schema.packs.c
_d: Final = schema.devices.c


def tell(connection: Connection, village: str, packs: Collection[int], now_ms: int) -> None:
    """Write down the count of each course of which somebody has just completed one of these packs."""
    if not outbox.is_wanted(connection, outbox.COURSE_COMPLETED, village):
        return
    courses = select(_p.course_key).where(_p.pk.in_(packs))
    query = (
        select(_p.course_key, func.count(distinct(_l.person)))
        .select_from(schema.course_progress)
        .join(schema.packs, _p.pk == _cp.pack)
        .join(schema.learners, _l.pk == _cp.learner)
        .join(schema.devices, _d.pk == _l.device)
        .where(_d.village == village, _cp.completions > 0, _p.course_key.in_(courses))
        .group_by(_p.course_key)
    )
    for course_key, people in connection.execute(query).all():
        body = {"course": bytes(course_key).hex(), "completed": people}
        outbox.note(connection, outbox.COURSE_COMPLETED, village, body, now_ms)

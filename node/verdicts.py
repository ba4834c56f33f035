"""How far a hub holds a log of this device, by what it says of the log's ends. Only reads; works inside its caller's transaction.

A verdict names an end that the hub holds, and the log may have forked: a copy of this disk, or this disk before it was set
back, wrote another one. A hub that was set back may hold one side and have lost the other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from node import branches
from sync.exchange import SHORT_ID, Verdict
from sync.log import NOTHING, Head, Status


def is_ours(db: sqlite3.Connection, pk: int, head: Head) -> bool:
    """Whether this disk's side of log `pk` goes through that end, of which the id is cut as on the wire."""
    query = "SELECT substr(id, 1, ?) FROM segments WHERE log = ? AND idx = ?"
    here = db.execute(query, (SHORT_ID, pk, head.index)).fetchone()
    return head.index == NOTHING or (here is not None and here[0] == head.id)


def is_behind(db: sqlite3.Connection, pk: int, said: Sequence[Verdict]) -> bool:
    """Whether the hub names an end after this disk's own, and none of this disk's side: the disk was set back."""
    own = db.execute("SELECT max(idx) FROM segments WHERE log = ?", (pk,)).fetchone()[0]
    return not any(is_ours(db, pk, one.head) for one in said) and any(one.head.index > own for one in said)


def how_far(
    db: sqlite3.Connection, pk: int, verdicts: Sequence[Verdict], before: int, answered: bool
) -> int | None:
    """The index of the last segment on this disk's side that the hub holds; None if that can't be known.

    `verdicts` is all that it said of log `pk` at once, `before` what it had confirmed, `answered` whether it answers a
    question about this disk's side: then an end of another side that lies before this one's means that it lost this one.
    """
    ours = [one.head.index for one in verdicts if is_ours(db, pk, one.head)]
    if ours:
        return max(ours)
    # Where the sides part is known if the hub has brought the other one as history.
    joints = [branches.last_own_under(db, pk, one.head) for one in verdicts]
    joint = max((at for at in joints if at is not None), default=None)
    end = max(one.head.index for one in verdicts)
    own = db.execute("SELECT max(idx) FROM segments WHERE log = ?", (pk,)).fetchone()[0]
    is_lost = any(one.status is Status.GAP for one in verdicts) or (answered and end < own)
    if is_lost and joint is None:
        # From halfway, and if that isn't enough, again from halfway.
        return (min(before, end) - 1) // 2 if before > NOTHING else None
    if is_lost or (not answered and None not in joints):
        return joint
    return joint if joint is not None and joint > before else None

"""Results of pages that take long to work out, kept for a while: for the operators of exactly one scope. Owns kept_results."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, select

from hub.db import insert_or_ignore, writing
from hub.errors import BusyError
from hub.schema import kept_results

DAY_MS: Final = 24 * 3600 * 1000
"""No result is kept longer."""

_k: Final = kept_results.c


@dataclass(frozen=True, slots=True)
class Kept:
    """A result (as JSON has it), and when it was worked out."""

    made_ms: int
    result: Any


def find(connection: Connection, subject: str, scope: str, since_ms: int) -> Kept | None:
    """What was worked out of a subject for this very scope, not before `since_ms`."""
    query = select(_k.made_ms, _k.result).where(_k.subject == subject, _k.scope == scope)
    row = connection.execute(query.where(_k.made_ms >= since_ms)).one_or_none()
    return None if row is None else Kept(row.made_ms, json.loads(row.result))


def keep(engine: Engine, subject: str, scope: str, result: Any, now_ms: int) -> Kept:
    """Keep a result; what was worked out more than a day ago goes, and so does an earlier one of the same.

    A page that can't be kept just now is shown all the same.
    """
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    with suppress(BusyError), writing(engine) as connection:
        connection.execute(delete(kept_results).where(_k.made_ms < now_ms - DAY_MS))
        connection.execute(delete(kept_results).where(_k.subject == subject, _k.scope == scope))
        connection.execute(
            insert_or_ignore(connection, kept_results)
            .values(subject=subject, scope=scope, made_ms=now_ms, result=text)
            .on_conflict_do_nothing()
        )
    return Kept(now_ms, json.loads(text))

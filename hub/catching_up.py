"""Finds again what the steps behind an intake left undone: a process was killed between two of them, or the database went away.

A device that has its receipt sends no segment again, so nobody else would come by. Every worker of the hub looks once when
it starts, and `lontar hub deliver --watch` all the time, on as many machines as one likes.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Final

from sqlalchemy import Engine, or_, select

from hub import certificates, figures, merge, schema
from hub.config import Config
from hub.db import reading
from hub.errors import BusyError

EVERY_MS: Final = 15_000
MARGIN_MS: Final = 10 * 60_000
"""How long the steps behind one intake may take."""
DAY_MS: Final = 24 * 3600 * 1000
"""So far back whoever has just started looks for certificates that are due."""
_BLOCK: Final = 200
_d: Final = schema.devices.c

log = logging.getLogger(__name__)


def at_start(engine: Engine, config: Config, now_ms: int) -> None:
    """Catch up with the last day; if that can't be now, whoever comes next does."""
    with suppress(BusyError):
        catch_up(engine, config, now_ms - DAY_MS, now_ms)


def catch_up(engine: Engine, config: Config, since_ms: int, now_ms: int) -> int:
    """Merge every log that has something to merge, issue what is due to devices that were heard of since `since_ms`, keep sums
    few; returns how many logs were behind.

    Raises:
        BusyError: the database can't take it now; the next pass goes on.
    """
    with reading(engine) as connection:
        behind = merge.behind(connection)
        heard = or_(_d.last_contact_ms >= since_ms, _d.last_stick_ms >= since_ms)
        query = select(schema.logs.c.pk).join(schema.devices, _d.pk == schema.logs.c.device).where(heard)
        logs = sorted({*behind, *connection.execute(query).scalars()})
    for log_pk in behind:
        try:
            merge.merge_log(engine, log_pk)
        except BusyError:
            raise
        except Exception:
            # One log that can't be merged must not hold up those behind it; `/metrik` shows its age.
            log.exception("log %s", log_pk)
    for at in range(0, len(logs), _BLOCK):
        certificates.issue_due(engine, config, logs[at : at + _BLOCK], now_ms)
    figures.keep_up(engine)
    return len(behind)

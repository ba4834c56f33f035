"""What needs a decision, on one page: each thing with its link, and where it can be undone."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hub import ledger
from hub.queries import alerts, decisions, devices, duplicates, regions
from hub.queries.bundles import OVERDUE, within_ledger
from hub.views.desk import hub, operator, seen

SHOWN: Final = 5
"""Rows of each list on this page; the rest is behind its link."""

blueprint = Blueprint("decisions", __name__)


@blueprint.get("/keputusan")
def show() -> ResponseReturnValue:
    now_ms, scope = hub().intake.now_ms(), operator().standing.scope
    with seen() as connection:
        waiting = devices.listed(connection, "waiting", now_ms, SHOWN)
        forks = decisions.forks(connection, SHOWN)
        apart = decisions.kept(connection, decisions.APART, SHOWN)
        rejected = decisions.kept(connection, decisions.REJECTED, SHOWN)
        judged = decisions.judged(connection, SHOWN)
        overdue = within_ledger("", OVERDUE, now_ms)
        late = ledger.listed(connection, overdue, SHOWN)
        # Names can only be compared within a regency.
        pairs = duplicates.found(connection, scope)[0] if len(scope) >= duplicates.REGENCY else None
        shown = {row.village for rows in (waiting, apart, rejected, judged, late) for row in rows}
        shown |= {fork.alert.village for fork in forks}
        return render_template(
            "decisions.html",
            waiting=waiting,
            waiting_total=devices.count(connection, "waiting", now_ms),
            forks=forks,
            forks_total=alerts.count(connection, kind=alerts.FORK),
            apart=apart,
            apart_total=decisions.count_kept(connection, decisions.APART),
            rejected=rejected,
            rejected_total=decisions.count_kept(connection, decisions.REJECTED),
            judged=judged,
            late=late,
            late_total=ledger.count(connection, overdue),
            days=ledger.OVERDUE_MS // 86_400_000,
            pairs=None if pairs is None else len(pairs),
            alerts_total=alerts.count(connection),
            names=regions.names(connection, shown),
            now_ms=now_ms,
        )

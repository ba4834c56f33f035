"""The first page: how the whole is going, and what waits for the operator."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hub import ledger, overview
from hub import regions as region_list
from hub.queries import alerts, devices, regions
from hub.queries.bundles import OVERDUE, within_ledger
from hub.views.desk import hub, operator, seen

SHOWN = 5
"""Rows of each list on this page; the rest is behind its link."""

blueprint = Blueprint("overview", __name__)


@blueprint.get("/")
def show() -> ResponseReturnValue:
    now_ms, scope = hub().intake.now_ms(), operator().standing.scope
    with seen() as connection:
        waiting = devices.listed(connection, "waiting", now_ms, SHOWN)
        silent = devices.listed(connection, devices.SILENT, now_ms, SHOWN)
        are_all = len(silent) < SHOWN
        rows = alerts.listed(connection, SHOWN)
        shown = {row.village for row in (*waiting, *silent)} | {row.village for row in rows}
        return render_template(
            "overview.html",
            figures=overview.figures(connection),
            waiting=waiting,
            silent=silent,
            silent_total=len(silent) if are_all else devices.count(connection, devices.SILENT, now_ms),
            alerts=rows,
            overdue=ledger.count(connection, within_ledger("", OVERDUE, now_ms)),
            regions=region_list.children(connection, scope),
            tallies=regions.tallies(connection, scope, regions.CHILD.get(len(scope), regions.VILLAGE)),
            scope=scope,
            names=regions.names(connection, shown),
            now_ms=now_ms,
        )

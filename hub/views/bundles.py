"""The ledger of bundles: handed over, on the road, arrived or overdue, and who carries them."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from hub import ledger
from hub.queries import regions
from hub.queries.bundles import within_ledger
from hub.views import typed
from hub.views.desk import PAGE, hub, page_number, pages_of, seen
from hub.views.typed import TypedError
from hub.views.words import BUNDLES
from web.languages import gettext as _

blueprint = Blueprint("bundles", __name__)


@blueprint.get("/buku-kiriman")
def listed() -> ResponseReturnValue:
    state, region = request.args.get("keadaan", ""), request.args.get("wilayah", "").strip()
    if state not in BUNDLES:
        state = ""
    try:
        code = typed.region_code(region)
    except TypedError as refusal:
        return _page(region, state, problem=refusal.sentence(_)), 422
    now_ms = hub().intake.now_ms()
    with seen() as connection:
        which = within_ledger(code, state, now_ms)
        total = ledger.count(connection, which)
        page = min(page_number(), pages_of(total))
        rows = ledger.listed(connection, which, PAGE, (page - 1) * PAGE)
        names = regions.names(connection, {row.village for row in rows})
    return _page(
        code, state, rows=rows, names=names, total=total, now_ms=now_ms, page=page, pages=pages_of(total)
    )


def _page(region: str, state: str, problem: str = "", **found: object) -> str:
    return render_template(
        "bundles.html",
        region=region,
        state=state,
        states=BUNDLES,
        problem=problem,
        days=ledger.OVERDUE_MS // 86_400_000,
        **found,
    )

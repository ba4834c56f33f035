"""What needs a person's eye, and what no longer does."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub import alerts as alert_list
from hub.db import writing
from hub.queries import alerts, regions
from hub.roles import Right
from hub.views.desk import NUMBER, PAGE, came_from, hub, needs, operator, page_number, pages_of, seen
from hub.views.words import OVER
from web.languages import gettext as _

blueprint = Blueprint("alerts", __name__)


@blueprint.get("/peringatan")
def listed() -> ResponseReturnValue:
    is_open = request.args.get("keadaan") != OVER
    with seen() as connection:
        total = alerts.count(connection, is_open)
        page = min(page_number(), pages_of(total))
        rows = alerts.listed(connection, PAGE, (page - 1) * PAGE, is_open=is_open)
        names = regions.names(connection, {row.village for row in rows})
        over = alerts.count(connection, is_open=False)
    return render_template(
        "alerts.html",
        alerts=rows,
        total=total,
        over=over,
        is_open=is_open,
        OVER=OVER,
        names=names,
        page=page,
        pages=pages_of(total),
    )


@blueprint.post(f"/peringatan/{NUMBER}/ditangani")
@needs(Right.DECIDE)
def handle(number: int) -> ResponseReturnValue:
    with seen() as connection:
        alert_list.find(connection, number)
    with writing(hub().engine) as connection:
        alert_list.handle(connection, number, operator().name, hub().intake.now_ms())
    flash(_("Peringatan dicatat sudah ditangani. Bila keliru, buka lagi di Peringatan yang selesai."))
    return redirect(came_from() or url_for("alerts.listed"))


@blueprint.post(f"/peringatan/{NUMBER}/buka-lagi")
@needs(Right.DECIDE)
def reopen(number: int) -> ResponseReturnValue:
    """Undo `handle`."""
    with seen() as connection:
        alert_list.find(connection, number)
    with writing(hub().engine) as connection:
        alert_list.reopen(connection, number)
    flash(_("Peringatan dibuka lagi."))
    return redirect(url_for("alerts.listed"))

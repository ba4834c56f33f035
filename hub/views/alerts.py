"""What needs a person's eye."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hub.db import reading
from hub.queries import alerts, regions
from hub.views.desk import PAGE, hub, page_number, pages_of

blueprint = Blueprint("alerts", __name__)


@blueprint.get("/peringatan")
def listed() -> ResponseReturnValue:
    with reading(hub().engine) as connection:
        total = alerts.count(connection)
        page = min(page_number(), pages_of(total))
        rows = alerts.listed(connection, PAGE, (page - 1) * PAGE)
        names = regions.names(connection, {row.village for row in rows})
    return render_template(
        "alerts.html", alerts=rows, total=total, names=names, page=page, pages=pages_of(total)
    )

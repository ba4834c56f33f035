"""The tables of the operators' pages as files, with the filters of the page in the address."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import IO, Final

from flask import Blueprint, Response, abort, current_app, request
from flask.typing import ResponseReturnValue

from hub.exports import csv_file, xlsx_file
from hub.exports.people import CERTIFICATES, LEARNERS
from hub.exports.places import COURSE_VILLAGES, COURSES, REGIONS
from hub.exports.road import ALERTS, BUNDLES, COURIERS, DEVICES
from hub.exports.tables import Asked, Table, pages
from hub.roles import Right
from hub.views import typed
from hub.views.desk import hub, needs, operator, seeing_later
from hub.views.places import bytes_or_404
from web.languages import translator
from web.zones import ZONES

TABLES: Final = {
    "learners": LEARNERS,
    "certificates": CERTIFICATES,
    "regions": REGIONS,
    "courses": COURSES,
    "course_villages": COURSE_VILLAGES,
    "devices": DEVICES,
    "alerts": ALERTS,
    "bundles": BUNDLES,
    "couriers": COURIERS,
}
"""By the name of the view's function."""
_BLOCK: Final = 64 * 1024
_KINDS: Final = {"csv": csv_file.MEDIA_TYPE, "xlsx": xlsx_file.MEDIA_TYPE}

blueprint = Blueprint("exports", __name__, url_prefix="/ekspor")


@blueprint.app_context_processor
def offers() -> dict[str, Callable[[str], bool]]:
    """For templates: whether whoever looks at the page may take this table away."""
    return {"may_take": lambda name: not TABLES[name].names_people or operator().standing.may(Right.EXPORT)}


def _view(table: Table) -> Callable[[str], ResponseReturnValue]:
    def take(kind: str) -> ResponseReturnValue:
        return _sent(table, kind)

    # Whoever finds an open browser takes no names away.
    return needs(Right.EXPORT, fresh=True)(take) if table.names_people else take


for _name, _table in TABLES.items():
    blueprint.add_url_rule(f"/{_table.name}.<any(csv,xlsx):kind>", _name, _view(_table))


def _sent(table: Table, kind: str) -> Response:
    asked, zone, translate = _asked(table), current_app.config["ZONE"], translator()
    following = pages(table, seeing_later(), asked)
    # The first page before anything is sent: what fails now is still told on a page.
    rows = itertools.chain([next(following)], following)
    body = (
        csv_file.chunks(table, rows, translate, zone)
        if kind == "csv"
        else _made(lambda file: xlsx_file.write(table, rows, translate, zone, file))
    )
    now = datetime.fromtimestamp(asked.now_ms / 1000, ZONES[zone])
    name = "-".join(part for part in (table.name, asked.region, f"{now:%Y-%m-%d}") if part)
    response = Response(body, mimetype=_KINDS[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


def _made(write: Callable[[IO[bytes]], None]) -> Iterator[bytes]:
    """What is made wholly before it is sent: an XLSX has its directory at the end."""
    with ExitStack() as open_until_here:
        made = open_until_here.enter_context(tempfile.TemporaryFile())
        write(made)
        made.seek(0)
        open_until_here.pop_all()
    return _blocks(made)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block


def _asked(table: Table) -> Asked:
    """The filters of the page.

    Raises:
        TypedError: the code of a region can't be one.
    """
    standing, given = operator().standing, request.args
    region = typed.region_code(given.get("wilayah", ""))
    if region and not standing.covers(region):
        abort(404)
    if table is COURSE_VILLAGES and not given.get("pelatihan"):
        abort(404)
    asked = Asked(
        hub().intake.now_ms(),
        region,
        given.get("keadaan", ""),
        given.get("q", "").strip(),
        bytes_or_404(given["pelatihan"]) if given.get("pelatihan") else b"",
        "semua" in given,
    )
    # What an operator of a region calls the whole is the region.
    return replace(asked, region=region or standing.scope) if table is REGIONS else asked

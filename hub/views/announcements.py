"""What the centre says to everybody in a region, and what it has said there."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub import downlink
from hub.db import writing
from hub.errors import HubError
from hub.queries import regions, said
from hub.roles import Right
from hub.views import typed
from hub.views.desk import PAGE, hub, needs, operator, page_number, pages_of, seen
from hub.views.typed import TypedError
from sync import cbor, limits
from sync.decisions import AnnouncementPosted
from sync.errors import N_
from web.languages import gettext as _

TITLE_MOST = 120
TEXT_MOST = 2000

blueprint = Blueprint("announcements", __name__)


@blueprint.get("/pengumuman")
def listed() -> ResponseReturnValue:
    return _page(request.args.get("wilayah", "").strip())


@blueprint.post("/pengumuman")
@needs(Right.PUBLISH)
def post() -> ResponseReturnValue:
    given = request.form.get("region", "").strip()
    try:
        title = typed.one_line("title", TITLE_MOST, N_("Tulis judul pengumuman."))
        text = typed.many_lines("text", TEXT_MOST, N_("Tulis isi pengumuman."))
        said_now = AnnouncementPosted(title, text)
        if len(cbor.encode(said_now.fields())) > limits.ENTRY_FIELDS:
            raise TypedError(N_("Pengumuman ini terlalu panjang. Ringkas isinya."))
        with writing(hub().engine) as connection:
            region = typed.own_region(connection, typed.region_code(given), operator().standing)
            downlink.decide(connection, region, said_now, hub().intake.now_ms())
    except HubError as refusal:
        return _page(given, refusal.sentence(_)), 422
    flash(_("Pengumuman disimpan. Desa menerimanya saat terhubung atau lewat flashdisk."))
    return redirect(url_for("announcements.listed", wilayah=region or None))


def _page(given: str, problem: str = "") -> str:
    with seen() as connection:
        try:
            region = typed.known_region(connection, typed.region_code(given))
        except TypedError as refusal:
            region, problem = "", problem or refusal.sentence(_)
        pages = pages_of(said.count(connection, region))
        page = min(page_number(), pages)
        decisions = said.in_scope(connection, region, PAGE, (page - 1) * PAGE)
        names = regions.names(connection, {region})
    return render_template(
        "announcements.html",
        region=region,
        given=given,
        names=names,
        said=decisions,
        page=page,
        pages=pages,
        problem=problem,
        title_most=TITLE_MOST,
        text_most=TEXT_MOST,
    )

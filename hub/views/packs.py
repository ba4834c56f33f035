"""Which course packs are given out, to whom; bringing one here, withdrawing one. `pack` shows one of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from hub import packs
from hub.errors import HubError
from hub.queries import packs as queries
from hub.queries import regions
from hub.roles import Right
from hub.views import typed
from hub.views.desk import hub, needs, operator, seen
from sync.errors import N_, LontarError
from web.languages import gettext as _

UPLOAD_MOST: Final = 1024**3
REASON_MOST: Final = 300

blueprint = Blueprint("packs", __name__)


def prepare(app: Flask) -> None:
    """Let this one form be large, for operators. Comes before everything that reads forms."""
    app.before_request(_allow_more)


def _allow_more() -> None:
    if request.endpoint == f"{blueprint.name}.{upload.__name__}" and current_user.is_authenticated:
        request.max_content_length = UPLOAD_MOST


@blueprint.get("/paket")
def listed() -> ResponseReturnValue:
    return _page()


@blueprint.post("/paket")
@needs(Right.PUBLISH)
def upload() -> ResponseReturnValue:
    """Keep a pack, so that it can be looked at before anybody is promised it."""
    given = request.files.get("pack")
    if given is None or not given.filename:
        return _page(_("Pilih dulu berkas paket (.lontar).")), 422
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "paket.lontar"
            given.save(path)
            _manifest, manifest_hash = packs.keep(hub().engine, hub().config, path)
    except LontarError as refusal:
        return _page(refusal.sentence(_)), 422
    return redirect(url_for("pack.show", key=manifest_hash.hex()))


@blueprint.post("/paket/<key>/tarik")
@needs(Right.PUBLISH, fresh=True)
def withdraw(key: str) -> ResponseReturnValue:
    try:
        reason = typed.one_line("reason", REASON_MOST, N_("Tulis alasannya; desa membacanya."))
        manifest_hash = bytes.fromhex(key)
        with seen() as connection:
            scopes = queries.scopes_of(connection, manifest_hash)
        if not all(operator().standing.covers(scope) for scope in scopes):
            raise HubError(
                N_("Paket ini juga dibagikan di luar wilayah Anda, jadi bukan Anda yang menariknya.")
            )
        packs.withdraw(hub().engine, manifest_hash, reason, hub().intake.now_ms())
    except HubError as refusal:
        return _page(refusal.sentence(_)), 422
    except ValueError:
        abort(404)
    flash(_("Paket ditarik: tidak ada desa yang mengambilnya lagi. Yang sedang belajar tidak terganggu."))
    return redirect(url_for("packs.listed"))


def _page(problem: str = "") -> str:
    with seen() as connection:
        store = packs.store_of(hub().config)
        rows, waiting = packs.given(connection, store), packs.waiting(connection, store)
        names = regions.names(connection, {scope for row in rows for scope in row.scopes})
    return render_template(
        "packs.html", rows=rows, waiting=waiting, names=names, problem=problem, reason_most=REASON_MOST
    )

"""Which course packs are given out to whom: publish one, to all, a region or a first stage of it; withdraw one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from content_packs.errors import PackError
from hub import packs
from hub.db import reading
from hub.errors import HubError
from hub.queries import regions
from hub.views import typed
from hub.views.desk import hub
from sync.errors import N_
from web.languages import gettext as _

UPLOAD_MOST: Final = 1024**3
REASON_MOST: Final = 300
STAGE: Final = 10
"""Villages that a pack is tried on before the others get it."""

blueprint = Blueprint("packs", __name__)


def prepare(app: Flask) -> None:
    """Let this one form be large, for operators. Comes before everything that reads forms."""
    app.before_request(_allow_more)


def _allow_more() -> None:
    if request.endpoint == f"{blueprint.name}.{publish.__name__}" and current_user.is_authenticated:
        request.max_content_length = UPLOAD_MOST


@blueprint.get("/paket")
def listed() -> ResponseReturnValue:
    return _page()


@blueprint.post("/paket")
def publish() -> ResponseReturnValue:
    upload = request.files.get("pack")
    given = request.form.get("region", "").strip()
    if upload is None or not upload.filename:
        return _page(given, _("Pilih dulu berkas paket (.lontar).")), 422
    try:
        with reading(hub().engine) as connection:
            region = typed.known_region(connection, typed.region_code(given))
            scopes = [region]
            if request.form.get("stage"):
                scopes = packs.first_villages(connection, region, STAGE)
        if not scopes:
            raise HubError(N_("Belum ada desa terdaftar di wilayah ini."))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "paket.lontar"
            upload.save(path)
            made, _hash = packs.publish(hub().engine, hub().config, path, scopes, hub().intake.now_ms())
    except (HubError, PackError) as refusal:
        return _page(given, refusal.sentence(_)), 422
    flash(
        _(
            "%(title)s versi %(version)s dibagikan ke %(count)s wilayah atau desa.",
            title=made.title,
            version=made.version,
            count=len(scopes),
        )
    )
    return redirect(url_for("packs.listed"))


@blueprint.post("/paket/<key>/tarik")
def withdraw(key: str) -> ResponseReturnValue:
    try:
        reason = typed.one_line("reason", REASON_MOST, N_("Tulis alasannya; desa membacanya."))
        packs.withdraw(hub().engine, bytes.fromhex(key), reason, hub().intake.now_ms())
    except HubError as refusal:
        return _page("", refusal.sentence(_)), 422
    except ValueError:
        abort(404)
    flash(_("Paket ditarik: tidak ada desa yang mengambilnya lagi. Yang sedang belajar tidak terganggu."))
    return redirect(url_for("packs.listed"))


def _page(region: str = "", problem: str = "") -> str:
    with reading(hub().engine) as connection:
        rows = packs.given(connection, packs.store_of(hub().config))
        names = regions.names(connection, {scope for row in rows for scope in row.scopes})
    return render_template(
        "packs.html",
        rows=rows,
        names=names,
        region=region,
        problem=problem,
        stage=STAGE,
        reason_most=REASON_MOST,
    )

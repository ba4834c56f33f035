"""One pack at the centre: what is in it, what should be looked at, how it looks to a learner, who has it, giving it out."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from content_packs import render
from content_packs.changes import Fate, lesson_changes, new_pieces
from content_packs.check import SLOW_BYTES_S, check_pack
from content_packs.store import InstalledPack
from hub import packs
from hub.errors import HubError
from hub.queries import packs as queries
from hub.queries import regions
from hub.roles import Right
from hub.views import typed
from hub.views.desk import PAGE, hub, needs, operator, page_number, pages_of, seen
from hub.views.places import bytes_or_404
from sync.errors import N_, LontarError
from sync.keys import fingerprint
from web.languages import gettext as _
from web.ranges import shown

STAGE: Final = 10
"""Villages that a pack is tried on before the others get it."""

blueprint = Blueprint("pack", __name__, url_prefix="/paket/<key>")


@blueprint.get("")
def show(key: str) -> ResponseReturnValue:
    return _page(_pack_or_404(key))


@blueprint.post("/bagikan")
@needs(Right.PUBLISH)
def publish(key: str) -> ResponseReturnValue:
    pack = _pack_or_404(key)
    given = request.form.get("region", "").strip()
    try:
        with seen() as connection:
            region = typed.own_region(connection, typed.region_code(given), operator().standing)
            scopes = [region]
            if request.form.get("stage"):
                scopes = packs.first_villages(connection, region, STAGE)
        if not scopes:
            raise HubError(N_("Belum ada desa terdaftar di wilayah ini."))
        now_ms = hub().intake.now_ms()
        packs.promise(hub().engine, pack.manifest, pack.manifest_hash, scopes, now_ms)
    except LontarError as refusal:
        return _page(pack, given, refusal.sentence(_)), 422
    flash(
        _(
            "%(title)s versi %(version)s dibagikan ke %(count)s wilayah atau desa.",
            title=pack.manifest.title,
            version=pack.manifest.version,
            count=len(scopes),
        )
    )
    return redirect(url_for("pack.show", key=key))


@blueprint.get("/materi/<int:number>")
def lesson(key: str, number: int) -> ResponseReturnValue:
    """A lesson as learners read it, with the right answers beside the questions."""
    pack = _pack_or_404(key)
    found = pack.manifest.lesson(number)
    if found is None:
        abort(404)
    content = pack.lesson(number)

    def illustrated(html: str) -> Markup:
        made = render.with_addresses(
            html, lambda name: url_for("pack.media", key=key, path=name), pack.file_names
        )
        return Markup(made)  # noqa: S704 - cleaned by the pack store

    return render_template(
        "pack_lesson.html", key=key, pack=pack, lesson=found, content=content, illustrated=illustrated
    )


@blueprint.get("/media/<path:path>")
def media(key: str, path: str) -> ResponseReturnValue:
    found = _pack_or_404(key).media(path) or abort(404)
    return shown(found.file, found.media_type, found.size)


def _pack_or_404(key: str) -> InstalledPack:
    return packs.store_of(hub().config).get(bytes_or_404(key)) or abort(404)


def _page(pack: InstalledPack, region: str = "", problem: str = "") -> str:
    manifest, store = pack.manifest, packs.store_of(hub().config)
    others = [one for one in store.packs() if one.manifest.course_key == manifest.course_key]
    before = max(
        (one for one in others if one.manifest.version < manifest.version),
        key=lambda one: one.manifest.version,
        default=None,
    )
    with seen() as connection:
        scopes = queries.scopes_of(connection, pack.manifest_hash)
        told = (connection, manifest.course_key, manifest.version, scopes)
        total = queries.count_lacking(*told)
        page = min(page_number(), pages_of(total))
        lacking = queries.lacking(*told, PAGE, (page - 1) * PAGE)
        names = regions.names(connection, {*scopes, *lacking})
        versions = queries.versions(connection, manifest.course_key, scopes)
    update = None
    if before is not None:
        pieces = new_pieces(before.manifest, manifest)
        update = sum(len(store.packed_piece(digest)) for digest in pieces)
    return render_template(
        "pack.html",
        key=pack.manifest_hash.hex(),
        manifest=manifest,
        publisher=fingerprint(manifest.publisher_key),
        minutes=max(1, manifest.packed // SLOW_BYTES_S // 60),
        findings=check_pack(pack, datetime.now().astimezone().date()),
        before=before,
        changes=[] if before is None else lesson_changes(before.manifest, manifest),
        update=update,
        scopes=scopes,
        names=names,
        versions=versions,
        lacking=lacking,
        total=total,
        page=page,
        pages=pages_of(total),
        region=region,
        problem=problem,
        stage=STAGE,
        role_words={"lesson": _("Materi"), "pretest": _("Tes awal"), "posttest": _("Tes akhir")},
        fate_words={
            Fate.SAME.value: _("isinya berubah, hasil belajar tetap"),
            Fate.REVISED.value: _("harus dipelajari lagi"),
            Fate.NEW.value: _("baru"),
            Fate.DROPPED.value: _("dihapus"),
        },
    )

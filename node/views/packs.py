"""Courses for the operator: what is here, what the centre gives out, how large it is and what it costs, and taking it."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node import allowance, courses, offers
from node.desk import at_the_laptop, desk, for_operator
from node.errors import NodeError
from sync.errors import N_, LontarError
from web.languages import gettext as _

blueprint = Blueprint("packs", __name__, url_prefix="/operator/pelatihan")


@blueprint.get("")
@for_operator
def listed() -> ResponseReturnValue:
    return _page()


@blueprint.post("")
@for_operator
def choose() -> ResponseReturnValue:
    node = desk().node
    try:
        manifest_hash = bytes.fromhex(request.form.get("pack", ""))
    except ValueError:
        abort(404)
    wanted = request.form.get("wanted") == "1"
    try:
        offers.choose(node, manifest_hash, wanted)
    except LontarError as refusal:
        flash(refusal.sentence(_), "warn")
    else:
        if wanted:
            node.worker.sync_soon()
            flash(
                _(
                    "Akan diambil saat ada sinyal, dan dilanjutkan bila terputus. Flashdisk petugas dapat membawanya lebih cepat."
                )
            )
        else:
            flash(_("Tidak diambil. Yang sudah terunduh tetap ada."))
    return redirect(url_for("packs.listed"))


@blueprint.post("/versi")
@for_operator
def roll_back() -> ResponseReturnValue:
    node, course = desk().node, request.form.get("course", "")
    try:
        if request.form.get("again"):
            manifest = courses.show_again(node, course)
        else:
            manifest = courses.take_back(node, course)[1]
    except LontarError as refusal:
        flash(refusal.sentence(_), "warn")
    else:
        flash(
            _(
                "Peserta sekarang belajar dari %(title)s versi %(version)s. Hasil belajar tidak ada yang hilang.",
                title=manifest.title,
                version=manifest.version,
            )
        )
    return redirect(url_for("packs.listed"))


@blueprint.post("/pasang")
@for_operator
def install() -> ResponseReturnValue:
    """A pack file or a course folder on this laptop's own disk or stick: only who sits there may name one."""
    if not at_the_laptop():
        abort(403)
    typed, trust = (request.form.get(name, "").strip() for name in ("source", "trust"))
    path = Path(typed)
    try:
        if not typed or "\0" in typed or not path.exists():
            raise NodeError(N_("Folder atau berkas itu tidak ada di laptop ini. Periksa tulisannya."))
        made = (
            courses.make_local(desk().node, path)
            if path.is_dir()
            else courses.install_pack(desk().node, path, trust or None)
        )
    except LontarError as refusal:
        return _page(refusal.sentence(_), typed, trust), 422
    flash(
        _(
            "Pelatihan %(title)s versi %(version)s terpasang.",
            title=made.manifest.title,
            version=made.manifest.version,
        )
    )
    return redirect(url_for("packs.listed"))


@blueprint.post("/jatah")
@for_operator
def allow() -> ResponseReturnValue:
    megabytes = _number("megabytes", allowance.MB_MOST)
    price = _number("price", allowance.PRICE_MOST)
    if megabytes is None or price is None:
        return _page(_("Tulis jatah dan harga dengan angka bulat; kosong berarti tanpa batas.")), 422
    unlimited = not request.form.get("megabytes", "").strip()
    allowance.allow(desk().node.store, None if unlimited else megabytes, price)
    flash(_("Jatah data tersimpan. Kemajuan belajar selalu dikirim; jatah ini untuk mengambil pelatihan."))
    return redirect(url_for("packs.listed"))


def _number(name: str, most: int) -> int | None:
    """A number of a form, 0 if nothing was typed; None if it is none, or too large."""
    text = request.form.get(name, "").strip().replace(".", "") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= most else None


def _page(problem: str = "", path: str = "", trust: str = "") -> str:
    node = desk().node
    found = courses.listed(node)
    ids = [one.manifest.course_id for one in found if not one.is_hidden]
    month = allowance.month_of(node.worker.wall_ms())
    return render_template(
        "packs.html",
        installed=[one for one in found if one.is_shown],
        hidden=[one for one in found if one.is_hidden],
        earlier={course for course in ids if ids.count(course) > 1},
        offers=offers.offers(node),
        allowance=allowance.allowance(node.store, month),
        at_the_laptop=at_the_laptop(),
        problem=problem,
        path=path,
        trust=trust,
    )

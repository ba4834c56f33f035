"""Cadangan: which copies there are and where, a second place for them, and going back to one at the next start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node import backups, restoring, snapshots
from node.desk import desk, for_operator
from node.sealed_copy import words_of
from node.snapshots import Facts
from sync.errors import LontarError
from web.languages import gettext as _

PATH_MOST: Final = 1024

blueprint = Blueprint("backups", __name__, url_prefix="/operator/cadangan")


@dataclass(frozen=True, slots=True)
class Copy:
    """One that can be restored: `name` is how the page calls it back."""

    name: str
    path: Path
    facts: Facts
    is_here: bool


@blueprint.get("")
@for_operator
def listed() -> ResponseReturnValue:
    return _page()


@blueprint.post("")
@for_operator
def back_up() -> ResponseReturnValue:
    try:
        made = backups.back_up_now(desk().node)
    except LontarError as problem:
        flash(problem.sentence(_), "bad")
    else:
        flash(_("Cadangan selesai: %(count)s catatan.", count=made.entries))
    return redirect(url_for("backups.listed"))


@blueprint.post("/tempat")
@for_operator
def choose() -> ResponseReturnValue:
    text = request.form.get("place", "").strip()[:PATH_MOST]
    if not text.isprintable():
        abort(400)
    try:
        backups.choose_place(desk().node, text)
    except LontarError as problem:
        return _page(problem.sentence(_), text), 422
    if not text:
        flash(_("Cadangan tidak lagi disalin ke tempat kedua. Yang sudah ada di sana tetap ada."))
        return redirect(url_for("backups.listed"))
    flash(_("Tempat cadangan sudah dipilih. Cetak atau salin kertas pemulihan sekarang."))
    return redirect(url_for("backups.paper"))


@blueprint.get("/kertas")
@for_operator
def paper() -> ResponseReturnValue:
    node = desk().node
    words = words_of(backups.recovery_secret(node.config))
    return render_template("backups_paper.html", words=words, hub=node.config.hub_url)


@blueprint.get("/pulihkan")
@for_operator
def plan() -> ResponseReturnValue:
    copy = _copy_or_404(request.args.get("dari", ""))
    try:
        made = restoring.look(desk().node.config.data, copy.path)
    except LontarError as problem:
        flash(problem.sentence(_), "bad")
        return redirect(url_for("backups.listed"))
    return render_template("backups_restore.html", copy=copy, plan=made)


@blueprint.post("/pulihkan")
@for_operator
def restore() -> ResponseReturnValue:
    copy = _copy_or_404(request.form.get("dari", ""))
    try:
        restoring.prepare(desk().node.config, copy.path)
    except LontarError as problem:
        flash(problem.sentence(_), "bad")
    else:
        flash(_("Cadangan sudah disiapkan. Matikan laptop, lalu nyalakan lagi: saat itu data dipulihkan."))
    return redirect(url_for("backups.listed"))


@blueprint.post("/batal")
@for_operator
def call_off() -> ResponseReturnValue:
    if restoring.call_off(desk().node.config.data):
        flash(_("Pemulihan dibatalkan. Tidak ada yang berubah."))
    return redirect(url_for("backups.listed"))


def _copies() -> list[Copy]:
    node = desk().node
    data = node.config.data
    made = [Copy(one.path.stem, one.path, one.facts, True) for one in snapshots.listed(data)]
    places = [
        Path(str(node.store.get(backups.PLACE, "") or "/-")),
        *(drive.path for drive in desk().visits.drives()),
    ]
    for path in dict.fromkeys(file for place in places for file in backups.copies_in(place)):
        if restoring.is_own(data, path):
            try:
                facts = restoring.read_sealed(path, restoring.own_secret(data)).facts
            except LontarError:
                continue
            made.append(Copy(str(path), path, facts, False))
    return made


def _copy_or_404(name: str) -> Copy:
    return next((copy for copy in _copies() if copy.name == name), None) or abort(404)


def _page(problem: str = "", typed: str | None = None) -> str:
    node = desk().node
    second = backups.second_place(node)
    return render_template(
        "backups.html",
        copies=_copies(),
        second=second,
        error=second.error.sentence(_) if second.error else "",
        prepared=restoring.prepared(node.config.data),
        drives=desk().visits.drives(),
        problem=problem,
        typed=second.place if typed is None else typed,
    )

"""Sticks: which are plugged in, what is on one, one visit with a big button, and whom a lost one concerns.

Open to everyone at the laptop's own browser; from phones only after the operator's password.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node.desk import at_the_laptop_or_operator, desk, for_operator, is_operator
from node.trust import pinned_keyset
from node.visits import Look, list_written
from sync import words
from sync.errors import LontarError
from sync.keys import fingerprint
from web.languages import gettext as _
from web.qr import drawn

PATH_MOST: Final = 1024
_BUNDLE_HEX: Final = 32

blueprint = Blueprint("sticks", __name__, url_prefix="/flashdisk")


@blueprint.get("")
@at_the_laptop_or_operator
def show() -> ResponseReturnValue:
    """The only drive, the chosen one, or the list."""
    drives = desk().visits.drives()
    chosen = request.args.get("di", "")
    if not chosen and len(drives) == 1:
        chosen = str(drives[0].path)
    path = _allowed(chosen) if chosen else None
    look, problem = _look(path) if path else (None, "")
    offered = look.offered if look else None
    return render_template(
        "sticks.html",
        drives=drives,
        path=path,
        look=look,
        problem=problem or ("" if path or not chosen else _("Flashdisk itu tidak terpasang lagi.")),
        typed=request.args.get("di", ""),
        knows_centre=pinned_keyset(desk().node.store) is not None,
        root=_root(offered.root) if offered else None,
    )


@blueprint.post("/simpan")
@at_the_laptop_or_operator
def save() -> ResponseReturnValue:
    path = _allowed(request.form.get("di", ""))
    if path is None:
        flash(_("Flashdisk itu tidak terpasang lagi."), "warn")
        return redirect(url_for("sticks.show"))
    if not desk().visits.begin(path):
        flash(_("Sebuah flashdisk sedang ditulis. Tunggu sampai selesai."), "warn")
    return redirect(url_for("sticks.visit"))


@blueprint.get("/proses")
@at_the_laptop_or_operator
def visit() -> ResponseReturnValue:
    under_way = desk().visits.now()
    if under_way is None:
        return redirect(url_for("sticks.show"))
    return render_template(
        "stick_visit.html",
        visit=under_way,
        problem=under_way.problem.sentence(_) if under_way.problem else "",
        unread=under_way.unread.sentence(_) if under_way.unread else "",
        last_contact_ms=desk().node.worker.state().last_contact_ms,
    )


@blueprint.post("/percaya")
@for_operator
def trust() -> ResponseReturnValue:
    path = _allowed(request.form.get("di", "")) or abort(404)
    try:
        desk().visits.trust(path, bytes.fromhex(request.form.get("root", "")))
    except (LontarError, ValueError) as refusal:
        text = refusal.sentence(_) if isinstance(refusal, LontarError) else _("Cocokkan sekali lagi.")
        flash(text, "bad")
    else:
        flash(_("Kunci pusat sudah dipercaya. Sekarang simpan data ke flashdisk ini."))
    return redirect(url_for("sticks.show", di=path))


@blueprint.get("/hilang")
@for_operator
def lost() -> ResponseReturnValue:
    return render_template("sticks_lost.html", written=list_written(desk().node))


@blueprint.get("/hilang/<bundle>")
@for_operator
def people(bundle: str) -> ResponseReturnValue:
    """A list to print, for the notice to those whose data was on a lost stick."""
    if len(bundle) != _BUNDLE_HEX or set(bundle) - set("0123456789abcdef"):
        abort(404)
    written = {one.bundle: one for one in list_written(desk().node)}
    found = written.get(bytes.fromhex(bundle)) or abort(404)
    numbers = desk().node.bundles.people_in(found.bundle)
    persons = {one.number: one for one in map(desk().node.learning.learner, numbers) if one is not None}
    return render_template(
        "stick_people.html",
        bundle=found,
        people=sorted(persons.values(), key=lambda person: person.name.casefold()),
    )


def _allowed(text: str) -> Path | None:
    """The drive or, for the operator, the folder of that name; None if it isn't there."""
    if not text or len(text) > PATH_MOST or not text.isprintable():
        return None
    path = Path(text)
    if any(drive.path == path for drive in desk().visits.drives()):
        return path
    return path if is_operator() and path.is_absolute() and path.is_dir() else None


def _look(path: Path) -> tuple[Look | None, str]:
    try:
        return desk().visits.look(path), ""
    except LontarError as problem:
        return None, problem.sentence(_)


def _root(root: bytes) -> dict[str, object]:
    """A root key as people compare it."""
    return {
        "key": root.hex(),
        "fingerprint": fingerprint(root),
        "words": words.words_of(root),
        "code": drawn(words.qr_text(root), _("Sidik kunci pusat sebagai kode QR")),
    }

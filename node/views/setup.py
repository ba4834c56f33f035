"""The wizard's pages: one question each, back and next, and a summary before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import Final, cast

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node.lan import own_addresses
from node.photo import read_square_code
from node.setup import STEPS, Setup, checked_backup_place, offered_by
from node.views.operator import password_problem
from sync import words
from sync.errors import LontarError
from sync.invitation import TEXT_MOST, read_invitation
from sync.keys import fingerprint
from sync.stick import Stick
from web.languages import gettext as _
from web.security import HEADERS
from web.villages import TYPED_MOST, find, search
from web.zones import ZONES

EXTENSION: Final = "lontar-setup"
_CAMERA: Final = HEADERS["Permissions-Policy"].replace("camera=()", "camera=(self)")
_PATH_MOST: Final = 1024

blueprint = Blueprint("setup", __name__)


def setup() -> Setup:
    return cast(Setup, current_app.extensions[EXTENSION])


@blueprint.get("/")
@blueprint.get("/siapkan")
def begin() -> ResponseReturnValue:
    return redirect(url_for(f"setup.{setup().first_open()}"))


@blueprint.get("/siapkan/desa")
def village() -> ResponseReturnValue:
    return _village(request.args.get("q", "")[:TYPED_MOST].strip())


@blueprint.post("/siapkan/desa")
def choose_village() -> ResponseReturnValue:
    chosen = find(request.form.get("village", ""))
    if chosen is None:
        return _village("", _("Desa itu tidak ada dalam daftar. Cari sekali lagi."), 422)
    setup().choose_village(chosen)
    return redirect(url_for("setup.village"))


@blueprint.post("/siapkan/zona")
def choose_zone() -> ResponseReturnValue:
    zone = request.form.get("zone", "")
    if zone not in ZONES or not setup().answers.village:
        return _village("", "", 422)
    setup().keep(zone=zone)
    return begin()


@blueprint.get("/siapkan/pusat")
def centre() -> ResponseReturnValue:
    answers = setup().answers
    return _centre(" ".join(filter(None, (answers.hub_url, answers.code))))


@blueprint.post("/siapkan/pusat")
def type_centre() -> ResponseReturnValue:
    typed = request.form.get("invitation", "")
    try:
        _keep_invitation(typed)
    except LontarError as refusal:
        return _centre(typed[:TEXT_MOST], refusal.sentence(_))
    return begin()


@blueprint.post("/siapkan/pusat/foto")
def photograph_centre() -> ResponseReturnValue:
    photo = request.files.get("photo")
    if photo is None or not photo.filename:
        return _centre("", photo_problem=_("Pilih dulu berkas fotonya."))
    try:
        text = read_square_code(photo.stream)
    except LontarError as refusal:
        return _centre("", photo_problem=refusal.sentence(_))
    try:
        _keep_invitation(text)
    except LontarError:
        problem = _("Kode QR ini tidak memuat alamat pusat. Mintalah kode QR pendaftaran kepada Dinas PMD.")
        return _centre("", photo_problem=problem)
    flash(_("Terbaca dari foto: %(address)s", address=setup().answers.hub_url))
    return begin()


@blueprint.get("/siapkan/pusat/flashdisk")
def stick() -> ResponseReturnValue:
    return _stick(request.args.get("di", "")[:_PATH_MOST])


@blueprint.post("/siapkan/pusat/flashdisk")
def trust_stick() -> ResponseReturnValue:
    path = request.form.get("di", "")[:_PATH_MOST]
    try:
        offered = offered_by(Stick(Path(path)))
    except LontarError as refusal:
        return _stick(path, refusal.sentence(_))
    if offered is None or offered.root.hex() != request.form.get("root"):
        return _stick(path, _("Flashdisk ini sudah berganti. Cocokkan sekali lagi."))
    setup().keep(has_centre=True, hub_url=offered.hub_url, code="", keyset=offered.envelope.hex())
    return begin()


@blueprint.post("/siapkan/pusat/nanti")
def centre_later() -> ResponseReturnValue:
    setup().keep(has_centre=True, hub_url="", code="", keyset="")
    return begin()


@blueprint.route("/siapkan/sandi", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    if request.method == "GET":
        return _page("password")
    typed, again = request.form.get("password", ""), request.form.get("again", "")
    if typed or again or setup().password is None:
        problem = password_problem(typed, again)
        if problem:
            return _page("password", status=422, problem=problem)
        setup().password = typed
    return begin()


@blueprint.route("/siapkan/hotspot", methods=["GET", "POST"])
def hotspot() -> ResponseReturnValue:
    if request.method == "GET":
        addresses = [f"http://{address}:{setup().port}" for address in own_addresses()]
        return _page("hotspot", addresses=addresses)
    setup().keep(has_hotspot=True)
    return begin()


@blueprint.route("/siapkan/cadangan", methods=["GET", "POST"])
def backup() -> ResponseReturnValue:
    if request.method == "GET":
        return _page("backup", drives=setup().list_drives(), value=setup().answers.backup_place)
    typed = request.form.get("place", "")[:_PATH_MOST].strip()
    if request.form.get("later"):
        setup().keep(has_backup=True, backup_place="")
        return begin()
    try:
        place = checked_backup_place(typed, setup().data)
    except LontarError as refusal:
        drives, problem = setup().list_drives(), refusal.sentence(_)
        return _page("backup", status=422, drives=drives, value=typed, problem=problem)
    setup().keep(has_backup=True, backup_place=str(place))
    return begin()


@blueprint.route("/siapkan/ringkasan", methods=["GET", "POST"])
def summary() -> ResponseReturnValue:
    if request.method == "GET" or setup().first_open() != "summary":
        return _page("summary")
    try:
        return redirect(setup().make())
    except LontarError as refusal:
        return _page("summary", status=500, problem=refusal.sentence(_))


def _page(step: str, template: str = "", status: int = 200, **shown: object) -> Response:
    """The page of a step, if the questions before it have answers; else the first that hasn't."""
    number = STEPS.index(step)
    if number > STEPS.index(setup().first_open()):
        return current_app.make_response(begin())
    before = STEPS[number - 1] if number else ""
    page = render_template(
        f"setup_{template or step}.html", step=step, number=number + 1, before=before, **shown
    )
    return current_app.make_response((page, status))


def _village(typed: str, problem: str = "", status: int = 200) -> Response:
    found = search(typed) if typed else None
    chosen = setup().answers.village and not (typed or problem or "cari" in request.args)
    return _page(
        "village",
        status=status,
        typed=typed,
        found=found,
        chosen=chosen,
        zones=tuple(ZONES),
        problem=problem,
    )


def _centre(value: str, problem: str = "", photo_problem: str = "") -> Response:
    status = 422 if problem or photo_problem else 200
    page = _page("centre", status=status, value=value, problem=problem, photo_problem=photo_problem)
    page.headers["Permissions-Policy"] = _CAMERA
    return page


def _keep_invitation(text: str) -> None:
    invitation = read_invitation(text)
    code = str(invitation.code) if invitation.code else ""
    setup().keep(has_centre=True, hub_url=invitation.hub_url, code=code, keyset="")


def _stick(chosen: str, problem: str = "") -> Response:
    """The only drive, the chosen one, or the list."""
    drives, offered, status = setup().list_drives(), None, 422 if problem else 200
    if not chosen and len(drives) == 1:
        chosen = str(drives[0].path)
    if chosen and not problem:
        try:
            offered = offered_by(Stick(Path(chosen)))
        except (LontarError, ValueError) as refusal:
            problem = (
                refusal.sentence(_) if isinstance(refusal, LontarError) else _("Folder itu tidak ada.")
            )
    root = offered.root if offered else b""
    return _page(
        "centre",
        "stick",
        status,
        chosen=chosen,
        drives=drives,
        offered=offered,
        root=root.hex(),
        words=words.words_of(root) if offered else (),
        fingerprint=fingerprint(root) if offered else "",
        problem=problem,
    )

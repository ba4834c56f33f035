"""Periksa sertifikat: what a scanned or pasted code proves here, without any network. Open to everybody."""

from __future__ import annotations

from threading import Lock
from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node import certificates
from node.desk import desk
from node.photo import can_read_photos, read_square_code
from sync.errors import LontarError
from web.languages import gettext as _

blueprint = Blueprint("checks", __name__)

_one_at_a_time: Final = Lock()
"""A photo takes a slow laptop a second; quizzes must go on meanwhile."""


@blueprint.route("/periksa", methods=["GET", "POST"])
def check() -> ResponseReturnValue:
    if request.method == "GET":
        return _page()
    photo = request.files.get("photo")
    if photo is None or not photo.filename:
        return _verdict(request.form.get("code", ""))
    try:
        with _one_at_a_time:
            code = read_square_code(photo.stream)
    except LontarError as refusal:
        return _page(photo_problem=refusal.sentence(_)), 422
    return _verdict(code)


@blueprint.get("/P/<code>")
def scanned(code: str) -> ResponseReturnValue:
    """What a camera opens when the square code names this laptop."""
    return _verdict(code)


@blueprint.get("/p/<code>")
def typed(code: str) -> ResponseReturnValue:
    return redirect(url_for("checks.scanned", code=code.upper()))


def _verdict(code: str) -> ResponseReturnValue:
    try:
        found, known = certificates.read(desk().node, code if "/" in code else f"/P/{code}")
    except LontarError as refusal:
        return _page(problem=refusal.sentence(_), code=code), 422
    return _page(found=found, known=known, village=_place(found.claim.village))


def _page(**found: object) -> str:
    return render_template("certificate_check.html", can_read_photos=can_read_photos(), **found)


def _place(village: str) -> str:
    """The village by name where it is this one; else its code is all that is known here."""
    config = desk().node.config
    return config.village_name if village == config.village and config.village_name else village

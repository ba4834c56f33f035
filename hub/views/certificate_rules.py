"""What certificates ask for, course by course, and how they are numbered; for the whole centre."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub import certificate_rules, courses
from hub.certificate_rules import Rule
from hub.db import reading
from hub.errors import HubError
from hub.roles import Right
from hub.views import typed
from hub.views.desk import hub, needs
from hub.views.places import bytes_or_404
from sync.errors import N_
from web.languages import gettext as _

blueprint = Blueprint("certificate_rules", __name__, url_prefix="/sertifikat")

_EXAMPLE_VILLAGE = "17.05.10.2007"
_EXAMPLE_NUMBER = 42


@blueprint.get("/aturan")
@needs(Right.RULE)
def listed() -> ResponseReturnValue:
    return _page()


@blueprint.post("/aturan/<key>")
@needs(Right.RULE)
def write(key: str) -> ResponseReturnValue:
    course_key = bytes_or_404(key)
    with reading(hub().engine) as connection:
        if course_key not in courses.titles(connection):
            abort(404)
    try:
        score, hours = _whole("score", 100), _whole("hours", 1000)
        rule = Rule(
            None if score is None else score * 100,
            _whole("attempts", 1000),
            None if hours is None else hours * 3600,
            request.form.get("by_hand") == "1",
        )
    except HubError as refusal:
        return _page(refusal.sentence(_)), 422
    certificate_rules.write(hub().engine, course_key, rule)
    flash(_("Aturan disimpan. Berlaku untuk sertifikat yang terbit mulai sekarang."))
    return redirect(url_for("certificate_rules.listed"))


@blueprint.post("/pola")
@needs(Right.RULE)
def number() -> ResponseReturnValue:
    try:
        text = typed.one_line("pattern", certificate_rules.PATTERN_MOST, N_("Tulis pola nomornya."))
        certificate_rules.write_pattern(hub().engine, text)
    except HubError as refusal:
        return _page(number_problem=refusal.sentence(_)), 422
    flash(_("Pola nomor disimpan. Nomor yang sudah terbit tidak berubah."))
    return redirect(url_for("certificate_rules.listed"))


def _whole(field: str, most: int) -> int | None:
    """
    Raises:
        TypedError: neither empty nor a whole number up to `most`.
    """
    text = request.form.get(field, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text[:9]) > most:
        raise typed.TypedError(N_("Tulis angka bulat dari 0 sampai %(most)s, atau kosongkan."), most=most)
    return int(text)


def _page(problem: str = "", number_problem: str = "") -> str:
    with reading(hub().engine) as connection:
        titles = courses.titles(connection)
        rules = certificate_rules.of_courses(connection)
        pattern = certificate_rules.pattern(connection)
    now_ms = hub().intake.now_ms()
    return render_template(
        "certificate_rules.html",
        courses=sorted(titles.items(), key=lambda item: item[1].casefold()),
        rules=rules,
        nothing=Rule(),
        pattern=request.form.get("pattern", pattern),
        example=certificate_rules.number(pattern, _EXAMPLE_NUMBER, _EXAMPLE_VILLAGE, now_ms),
        problem=problem,
        number_problem=number_problem,
        pattern_most=certificate_rules.PATTERN_MOST,
    )

"""Who waits for a certificate that a person confirms: with what they reached, confirmed or refused one by one."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from hub import certificate_rules, certificates, courses
from hub.db import writing
from hub.errors import HubError
from hub.queries import persons, regions
from hub.roles import Right
from hub.views import typed
from hub.views.desk import hub, needs, operator, seen
from hub.views.places import bytes_or_404
from web.languages import gettext as _

REFUSED_MOST = 50
"""Refusals that are shown, the newest."""

blueprint = Blueprint("certificate_queue", __name__, url_prefix="/sertifikat/antrean")


@blueprint.get("")
@needs(Right.CERTIFY)
def listed() -> ResponseReturnValue:
    return _page()


@blueprint.post("/<number>/<key>/setujui")
@needs(Right.CERTIFY)
def confirm(number: str, key: str) -> ResponseReturnValue:
    learner, course_key = _seen_or_404(number), bytes_or_404(key)
    certificates.confirm(hub().engine, hub().config, learner, course_key, hub().intake.now_ms())
    flash(_("Sertifikat terbit. Desanya mendapatnya saat berikutnya terhubung."))
    return redirect(url_for("certificate_queue.listed"))


@blueprint.post("/<number>/<key>/tolak")
@needs(Right.CERTIFY)
def refuse(number: str, key: str) -> ResponseReturnValue:
    learner, course_key = _seen_or_404(number), bytes_or_404(key)
    with seen() as connection:
        here = certificates.waiting(connection, operator().standing.scope)
    mine = [one for one in here if (one.learner, one.course_key) == (learner, course_key)]
    if not mine:
        abort(404)
    try:
        reason = typed.reason()
    except HubError as refusal:
        return _page(refusal.sentence(_)), 422
    now_ms = hub().intake.now_ms()
    with writing(hub().engine) as connection:
        certificate_rules.refuse(connection, learner, course_key, mine[0].village, reason, now_ms)
    flash(_("Ditolak. Ia tetap tercatat menyelesaikan pelatihan; sertifikatnya tidak terbit."))
    return redirect(url_for("certificate_queue.listed"))


@blueprint.post("/<number>/<key>/kembalikan")
@needs(Right.CERTIFY)
def take_back(number: str, key: str) -> ResponseReturnValue:
    """Undo a refusal."""
    learner, course_key = bytes_or_404(number), bytes_or_404(key)
    with seen() as connection:
        if (learner, course_key) not in {(one.learner, one.course_key) for one in _refused(connection)}:
            abort(404)
    with writing(hub().engine) as connection:
        certificate_rules.take_back(connection, learner, course_key)
    flash(_("Kembali ke antrean."))
    return redirect(url_for("certificate_queue.listed"))


def _refused(connection: Connection) -> list[certificate_rules.Refusal]:
    return certificate_rules.refused(connection, REFUSED_MOST)


def _seen_or_404(number: str) -> bytes:
    learner = bytes_or_404(number)
    with seen() as connection:
        if persons.find(connection, learner) is None:
            abort(404)
    return learner


def _page(problem: str = "") -> str:
    with seen() as connection:
        waiting = certificates.waiting(connection, operator().standing.scope)
        refused = _refused(connection)
        people = persons.people(connection, {w.learner for w in waiting} | {r.learner for r in refused})
        names = regions.names(connection, {w.village for w in waiting} | {r.village for r in refused})
        titles = courses.titles(connection)
    return render_template(
        "certificate_queue.html",
        waiting=waiting,
        refused=refused,
        people=people,
        names=names,
        titles=titles,
        problem=problem,
        reason_most=typed.REASON_MOST,
        most=certificates.WAITING_MOST,
    )

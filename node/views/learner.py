"""The front door: choose your name, set or enter your PIN, leave."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node.desk import at_the_laptop, begin_sitting, desk, end_sitting, pin_holder, sitter
from node.learners import POSITIONS, is_easy, is_pin
from node.people import Learner
from web.dates import wait
from web.languages import gettext as _

PAGE: Final = 60

blueprint = Blueprint("learner", __name__)


@blueprint.get("/")
def choose() -> ResponseReturnValue:
    if sitter() is not None:
        return redirect(url_for("learn.courses"))
    search = request.args.get("q", "").strip()
    people = sorted(desk().node.learning.learners(search), key=_by_position)
    pages = max(1, -(-len(people) // PAGE))
    page = min(max(1, request.args.get("halaman", 1, int)), pages)
    shown = people[(page - 1) * PAGE : page * PAGE]
    groups = [(position, list(group)) for position, group in groupby(shown, key=lambda p: p.position)]
    return render_template(
        "choose.html",
        groups=groups,
        search=search,
        page=page,
        pages=pages,
        total=len(people),
        drives=desk().visits.drives() if at_the_laptop() else [],
    )


@blueprint.route("/masuk/<int:number>", methods=["GET", "POST"])
def enter(number: int) -> ResponseReturnValue:
    learner = desk().node.learning.learner(number) or abort(404)
    if learner.has_left:
        abort(404)
    holder = pin_holder(desk().node.learning.numbers(number))
    is_new = not desk().secrets.is_set(holder)
    problem, status = "", 200
    if request.method == "POST":
        problem, status = _set_pin(holder) if is_new else _try_pin(holder)
        if not problem:
            begin_sitting(learner.number)
            return redirect(url_for("learn.courses"))
    elif not is_new:
        problem = _wait_sentence(desk().secrets.wait_s(holder))
    return render_template("pin.html", learner=learner, is_new=is_new, problem=problem), status


@blueprint.post("/keluar")
def leave() -> ResponseReturnValue:
    end_sitting()
    return redirect(url_for("learner.choose"))


def _by_position(person: Learner) -> tuple[int, str]:
    known = POSITIONS.index(person.position) if person.position in POSITIONS else len(POSITIONS)
    return known, person.position


def _set_pin(number: int) -> tuple[str, int]:
    pin = request.form.get("pin", "").strip()
    if not is_pin(pin):
        return _("PIN harus tepat 6 angka."), 422
    if pin != request.form.get("again", "").strip():
        return _("Kedua PIN tidak sama. Ketik sekali lagi."), 422
    if is_easy(pin):
        return _("PIN ini terlalu mudah ditebak. Pilih 6 angka lain."), 422
    if not desk().secrets.set(number, pin):
        return _("PIN untuk nama ini baru saja dibuat di perangkat lain. Muat ulang halaman ini."), 409
    return "", 200


def _try_pin(number: int) -> tuple[str, int]:
    pin = request.form.get("pin", "").strip()
    if not is_pin(pin):
        return _("PIN harus tepat 6 angka."), 422
    tried = desk().secrets.attempt(number, pin)
    if tried.right:
        return "", 200
    if tried.wait_s:
        return _wait_sentence(tried.wait_s), 429
    return _("PIN salah. Sisa %(count)s kali coba sebelum harus menunggu.", count=tried.tries_left), 422


def _wait_sentence(seconds: int) -> str:
    if not seconds:
        return ""
    return _("Terlalu banyak PIN salah. Tunggu %(time)s, lalu coba lagi.", time=wait(seconds))

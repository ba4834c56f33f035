"""The village operator's pages: log in, add learners, rename them, reset a PIN, say who has left.

The password is set at first use, and only at the laptop itself; afterwards it opens these pages from the
phones on the hotspot too.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node.desk import at_the_laptop, begin_sitting, desk, for_operator, is_operator
from node.desk import reset_pin as forget_pins
from node.learners import OPERATOR, PASSWORD_MAX, PASSWORD_MIN, POSITIONS
from node.letterhead import now_here, village_line
from node.name_list import FILE_NAME, write_name_list
from node.people import Learner
from node.recorder import OperatorAction
from node.views.downloads import kept
from sync.errors import LontarError
from web.dates import wait
from web.languages import gettext as _

PAGE: Final = 40
OTHER: Final = "*"
"""The choice of the position list that lets a position be typed."""

blueprint = Blueprint("operator", __name__, url_prefix="/operator")


@blueprint.route("/masuk", methods=["GET", "POST"])
def enter() -> ResponseReturnValue:
    if is_operator():
        return redirect(url_for("operator.learners"))
    is_new = not desk().secrets.is_set(OPERATOR)
    local = at_the_laptop()
    if is_new and not local:
        return render_template("operator_enter.html", is_new=is_new, elsewhere=True), 403
    problem, status = "", 200
    if request.method == "POST":
        problem, status = _set_password() if is_new else _try_password()
        if not problem:
            begin_sitting(OPERATOR)
            return redirect(url_for("operator.learners"))
    return render_template("operator_enter.html", is_new=is_new, problem=problem, local=local), status


@blueprint.get("")
@for_operator
def learners() -> ResponseReturnValue:
    return _list()


@blueprint.post("")
@for_operator
def add() -> ResponseReturnValue:
    name, position = _typed()
    problem = _name_problem(name, position)
    if not problem:
        try:
            desk().node.recorder.add_learner(name, position)
        except LontarError as refusal:
            problem = refusal.sentence(_)
    if problem:
        return _list(problem, request.form.to_dict()), 422
    flash(_("%(name)s sudah ditambahkan. Ia sekarang dapat memilih namanya dan membuat PIN.", name=name))
    return redirect(url_for("operator.learners"))


@blueprint.post("/daftar-peserta.pdf")
@for_operator
def print_names() -> ResponseReturnValue:
    node = desk().node
    node.recorder.act(OperatorAction.CLASS_EXPORTED)
    paper = write_name_list(village_line(node), node.learning.learners(), _with_pin(), now_here(node))
    return kept(paper, "application/pdf", FILE_NAME)


@blueprint.get("/peserta/<int:number>")
@for_operator
def learner(number: int) -> ResponseReturnValue:
    return _person(_person_or_404(number))


@blueprint.post("/peserta/<int:number>")
@for_operator
def change(number: int) -> ResponseReturnValue:
    person = _person_or_404(number)
    name, position = _typed()
    problem = _name_problem(name, position, person.number)
    if not problem:
        try:
            desk().node.recorder.change_profile(person.number, name, position)
        except LontarError as refusal:
            problem = refusal.sentence(_)
    if problem:
        return _person(person, problem, request.form.to_dict()), 422
    flash(_("Data %(name)s sudah diubah.", name=name))
    return redirect(url_for("operator.learner", number=person.number))


@blueprint.post("/peserta/<int:number>/pin")
@for_operator
def reset_pin(number: int) -> ResponseReturnValue:
    person = _person_or_404(number)
    desk().node.recorder.act(OperatorAction.PIN_RESET, person.number)
    forget_pins(desk().node.learning.numbers(number))
    flash(_("PIN %(name)s dihapus. Minta yang bersangkutan segera membuat PIN baru.", name=person.name))
    return redirect(url_for("operator.learners"))


@blueprint.post("/peserta/<int:number>/pindah")
@for_operator
def leave(number: int) -> ResponseReturnValue:
    person = _person_or_404(number)
    has_left = not person.has_left
    desk().node.learning.set_left(person.number, has_left)
    if has_left:
        for each in desk().node.learning.numbers(number):
            desk().sittings.end_all_of(each)
        flash(_("%(name)s tidak ditampilkan lagi. Kemajuan belajarnya tetap tersimpan.", name=person.name))
    else:
        flash(_("%(name)s ditampilkan lagi di halaman depan.", name=person.name))
    return redirect(url_for("operator.learners"))


def _with_pin() -> frozenset[int]:
    """The people who have chosen a PIN, under whatever number."""
    return desk().node.learning.persons(desk().secrets.holders())


def _person_or_404(number: int) -> Learner:
    return desk().node.learning.learner(number) or abort(404)


def _person(person: Learner, problem: str = "", values: dict[str, str] | None = None) -> str:
    usual = person.position if person.position in POSITIONS else OTHER
    kept = {"name": person.name, "position": usual, "other": person.position if usual == OTHER else ""}
    return render_template(
        "operator_learner.html",
        person=person,
        has_pin=person.number in _with_pin(),
        positions=POSITIONS,
        other=OTHER,
        problem=problem,
        values=values or kept,
    )


def _typed() -> tuple[str, str]:
    """The name and position of a form."""
    name = " ".join(request.form.get("name", "").split())
    position = request.form.get("position", "")
    if position == OTHER:
        position = " ".join(request.form.get("other", "").split())
    return name, position


def _list(problem: str = "", values: dict[str, str] | None = None) -> str:
    search = request.args.get("q", "").strip()
    people = desk().node.learning.learners(search)
    pages = max(1, -(-len(people) // PAGE))
    page = min(max(1, request.args.get("halaman", 1, int)), pages)
    return render_template(
        "operator.html",
        people=people[(page - 1) * PAGE : page * PAGE],
        with_pin=_with_pin(),
        total=len(people),
        search=search,
        page=page,
        pages=pages,
        gone=desk().node.learning.learners(search, left=True),
        positions=POSITIONS,
        other=OTHER,
        problem=problem,
        values=values or {},
    )


def _name_problem(name: str, position: str, own: int | None = None) -> str:
    """What is wrong with a name; `own` is the number of whoever has it already."""
    if not name:
        return _("Nama tidak boleh kosong.")
    same = [p for p in desk().node.learning.learners(name) if p.name.casefold() == name.casefold()]
    if any(person.position == position and person.number != own for person in same):
        return _(
            "%(name)s dengan jabatan ini sudah ada. Bila memang orang lain, beri pembeda, misalnya nama dusun.",
            name=name,
        )
    return ""


def _set_password() -> tuple[str, int]:
    password = request.form.get("password", "")
    problem = password_problem(password, request.form.get("again", ""))
    if problem:
        return problem, 422
    if not desk().secrets.set(OPERATOR, password):
        return _("Kata sandi baru saja dibuat di tempat lain. Muat ulang halaman ini."), 409
    desk().node.recorder.act(OperatorAction.PASSWORD_SET, 0)
    return "", 200


def password_problem(password: str, again: str) -> str:
    """What is wrong with a new password that was typed twice."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        return _("Kata sandi harus %(least)s huruf atau lebih.", least=PASSWORD_MIN)
    if password != again:
        return _("Kedua kata sandi tidak sama. Ketik sekali lagi.")
    return ""


def _try_password() -> tuple[str, int]:
    tried = desk().secrets.attempt(OPERATOR, request.form.get("password", "")[:PASSWORD_MAX])
    if tried.right:
        return "", 200
    if tried.wait_s:
        text = _(
            "Terlalu banyak kata sandi salah. Tunggu %(time)s, lalu coba lagi.", time=wait(tried.wait_s)
        )
        return text, 429
    return _(
        "Kata sandi salah. Sisa %(count)s kali coba sebelum harus menunggu.", count=tried.tries_left
    ), 422

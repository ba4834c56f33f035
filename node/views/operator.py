"""The village operator's pages: log in, add learners, reset a PIN.

The password is set at first use, and only at the laptop itself; afterwards it opens these pages from the
phones on the hotspot too.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node.desk import begin_sitting, desk, for_operator, sitting
from node.learners import OPERATOR, PASSWORD_MAX, PASSWORD_MIN, POSITIONS
from node.recorder import OperatorAction
from sync.errors import LontarError
from web.dates import wait
from web.languages import gettext as _

PAGE: Final = 60
OTHER: Final = "*"
"""The choice of the position list that lets a position be typed."""

blueprint = Blueprint("operator", __name__, url_prefix="/operator")


@blueprint.route("/masuk", methods=["GET", "POST"])
def enter() -> ResponseReturnValue:
    here = sitting()
    if here is not None and here.is_operator:
        return redirect(url_for("operator.learners"))
    is_new = not desk().secrets.is_set(OPERATOR)
    if is_new and not is_local(request.remote_addr):
        return render_template("operator_enter.html", is_new=is_new, elsewhere=True), 403
    problem, status = "", 200
    if request.method == "POST":
        problem, status = _set_password() if is_new else _try_password()
        if not problem:
            begin_sitting(OPERATOR)
            return redirect(url_for("operator.learners"))
    return render_template("operator_enter.html", is_new=is_new, problem=problem), status


@blueprint.get("")
@for_operator
def learners() -> ResponseReturnValue:
    return _list()


@blueprint.post("")
@for_operator
def add() -> ResponseReturnValue:
    name = " ".join(request.form.get("name", "").split())
    position = request.form.get("position", "")
    if position == OTHER:
        position = " ".join(request.form.get("other", "").split())
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


@blueprint.get("/peserta/<int:number>")
@for_operator
def learner(number: int) -> ResponseReturnValue:
    person = desk().node.learning.learner(number) or abort(404)
    return render_template("operator_learner.html", person=person, has_pin=desk().secrets.is_set(number))


@blueprint.post("/peserta/<int:number>/pin")
@for_operator
def reset_pin(number: int) -> ResponseReturnValue:
    person = desk().node.learning.learner(number) or abort(404)
    desk().node.recorder.act(OperatorAction.PIN_RESET, number)
    desk().secrets.forget(number)
    desk().sittings.end_all_of(number)
    flash(_("PIN %(name)s dihapus. Minta yang bersangkutan segera membuat PIN baru.", name=person.name))
    return redirect(url_for("operator.learners"))


def is_local(address: str | None) -> bool:
    """Whether the browser runs on the laptop itself."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def _list(problem: str = "", values: dict[str, str] | None = None) -> str:
    search = request.args.get("q", "").strip()
    people = desk().node.learning.learners(search)
    pages = max(1, -(-len(people) // PAGE))
    page = min(max(1, request.args.get("halaman", 1, int)), pages)
    return render_template(
        "operator.html",
        people=people[(page - 1) * PAGE : page * PAGE],
        total=len(people),
        search=search,
        page=page,
        pages=pages,
        positions=POSITIONS,
        other=OTHER,
        problem=problem,
        values=values or {},
    )


def _name_problem(name: str, position: str) -> str:
    if not name:
        return _("Nama tidak boleh kosong.")
    same = [p for p in desk().node.learning.learners(name) if p.name.casefold() == name.casefold()]
    if any(person.position == position for person in same):
        return _(
            "%(name)s dengan jabatan ini sudah ada. Bila memang orang lain, beri pembeda, misalnya nama dusun.",
            name=name,
        )
    return ""


def _set_password() -> tuple[str, int]:
    password = request.form.get("password", "")
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        return _("Kata sandi harus %(least)s huruf atau lebih.", least=PASSWORD_MIN), 422
    if password != request.form.get("again", ""):
        return _("Kedua kata sandi tidak sama. Ketik sekali lagi."), 422
    if not desk().secrets.set(OPERATOR, password):
        return _("Kata sandi baru saja dibuat di tempat lain. Muat ulang halaman ini."), 409
    desk().node.recorder.act(OperatorAction.PASSWORD_SET, 0)
    return "", 200


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

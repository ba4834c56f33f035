"""Log in and out: by password, by a second proof where the account has one, or by a passkey."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from hub import operators, passkeys, second_factor
from hub.db import reading
from hub.operators import Operator
from hub.views.desk import begin_sitting, desk, end_sitting, hub, origin, prove, refusal
from web.languages import gettext as _
from web.languages import safe_path

HALF_MS: Final = 5 * 60 * 1000
"""How long somebody may take between the password and the code."""
_HALF: Final = "half"
_ASKED: Final = "passkey"

blueprint = Blueprint("enter", __name__)


@blueprint.route("/masuk", methods=["GET", "POST"])
def enter() -> ResponseReturnValue:
    onward = safe_path(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(onward)
    name, problem, status = "", "", 200
    if request.method == "POST":
        name = request.form.get("name", "").strip()
        tried = desk().guesses.attempt(name, request.form.get("password", ""))
        if tried.operator is not None:
            return _after_password(tried.operator, onward)
        problem, status = refusal(
            tried, _("Nama atau kata sandi salah. Periksa lagi, lalu coba sekali lagi.")
        )
    return render_template("enter.html", name=name, problem=problem, onward=onward), status


@blueprint.route("/masuk/kode", methods=["GET", "POST"])
def code() -> ResponseReturnValue:
    """The second proof of whoever has just written the right password."""
    onward, who = safe_path(request.args.get("next")), _half_way()
    if who is None:
        return redirect(url_for("enter.enter", next=onward))
    problem, status = "", 200
    if request.method == "POST":
        given, now_ms = request.form.get("code", ""), hub().intake.now_ms()

        def check() -> Operator | None:
            return who if second_factor.fits(hub().engine, hub().config, who.pk, given, now_ms) else None

        tried = desk().guesses.counted(f"{who.pk}/code", check)
        if tried.operator is not None:
            begin_sitting(who)
            return redirect(onward)
        problem, status = refusal(tried, _("Kode salah atau sudah dipakai. Tunggu kode berikutnya."))
    return render_template("enter_code.html", name=who.name, problem=problem, onward=onward), status


@blueprint.post("/masuk/kunci/mulai")
def ask_passkey() -> ResponseReturnValue:
    asked = passkeys.ask(origin())
    session[_ASKED] = asked.state
    return jsonify(asked.options)


@blueprint.post("/masuk/kunci")
def take_passkey() -> ResponseReturnValue:
    """Log in the account whose passkey answers; where to go on stands in the answer."""
    asked, answer = session.pop(_ASKED, None), request.get_json(silent=True)
    if asked is None or not isinstance(answer, dict):
        abort(400)
    who = passkeys.take(hub().engine, origin(), asked, answer, hub().intake.now_ms())
    if who is None:
        return jsonify(problem=_("Kunci sandi ini tidak dikenal di sini. Masuklah dengan kata sandi.")), 422
    begin_sitting(who)
    return jsonify(onward=safe_path(request.args.get("next")))


@blueprint.post("/bukti")
def prove_again() -> ResponseReturnValue:
    """Prove once more who one is, then go on to what was asked for."""
    onward = safe_path(request.args.get("next"))
    tried = prove()
    if tried.operator is None:
        # What is gone on to asks again.
        flash(refusal(tried, _("Kata sandi salah. Tulis lagi."))[0], "warn")
    return redirect(onward)


@blueprint.post("/keluar")
def leave() -> ResponseReturnValue:
    end_sitting()
    return redirect(url_for("enter.enter"))


def _after_password(who: Operator, onward: str) -> ResponseReturnValue:
    with reading(hub().engine) as connection:
        needs_code = second_factor.is_in_force(connection, who.pk)
    if not needs_code:
        begin_sitting(who)
        return redirect(onward)
    session.clear()
    session[_HALF] = (who.pk, hub().intake.now_ms())
    return redirect(url_for("enter.code", next=onward))


def _half_way() -> Operator | None:
    pk, since_ms = session.get(_HALF) or (0, 0)
    if not 0 <= hub().intake.now_ms() - since_ms <= HALF_MS:
        return None
    with reading(hub().engine) as connection:
        return operators.find(connection, pk)

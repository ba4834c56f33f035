"""Log in and out."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from hub.views.desk import begin_sitting, desk, end_sitting
from hub.views.guesses import Try
from web.dates import wait
from web.languages import gettext as _
from web.languages import safe_path

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
            begin_sitting(tried.operator)
            return redirect(onward)
        problem, status = refusal(
            tried, _("Nama atau kata sandi salah. Periksa lagi, lalu coba sekali lagi.")
        )
    return render_template("enter.html", name=name, problem=problem), status


@blueprint.post("/keluar")
def leave() -> ResponseReturnValue:
    end_sitting()
    return redirect(url_for("enter.enter"))


def refusal(tried: Try, wrong: str) -> tuple[str, int]:
    """The sentence and status for a try that didn't succeed."""
    if not tried.wait_s:
        return wrong, 422
    return _(
        "Terlalu banyak kata sandi salah. Tunggu %(time)s, lalu coba lagi.", time=wait(tried.wait_s)
    ), 429

"""An operator's own account: the password, the second proof, passkeys, and where it is logged in."""

from __future__ import annotations

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from hub import operators, passkeys, second_factor
from hub.db import reading, writing
from hub.errors import HubError
from hub.queries import regions
from hub.roles import NAMES
from hub.views import typed
from hub.views.browsers import browser_name
from hub.views.desk import NUMBER, desk, hub, needs, operator, origin, refusal, sitting
from hub.views.places import bytes_or_404
from hub.views.sittings import key_of
from web.languages import gettext as _
from web.qr import drawn

_ASKED = "new-passkey"

blueprint = Blueprint("own", __name__, url_prefix="/akun-saya")


@blueprint.get("")
def show() -> ResponseReturnValue:
    return _page()


@blueprint.post("/kata-sandi")
@needs(None)
def change_password() -> ResponseReturnValue:
    try:
        password_hash = operators.hashed(typed.new_password())
        tried = desk().guesses.attempt(operator().name, request.form.get("old", ""))
        if tried.operator is None:
            sentence, status = refusal(tried, _("Kata sandi yang lama salah."))
            return _page(password_problem=sentence), status
        with writing(hub().engine) as connection:
            operators.give_password(connection, operator().pk, password_hash)
    except HubError as problem:
        return _page(password_problem=problem.sentence(_)), 422
    desk().sittings.end_others(operator().pk, sitting().id)
    flash(_("Kata sandi diganti. Di tempat lain akun ini dikeluarkan."))
    return redirect(url_for("own.show"))


@blueprint.post("/kode")
@needs(None, fresh=True)
def begin_code() -> ResponseReturnValue:
    """Show what the telephone reads; it isn't in force before the first code was right."""
    return _code_page()


@blueprint.post("/kode/pakai")
@needs(None, fresh=True)
def confirm_code() -> ResponseReturnValue:
    """The recovery codes are shown once: only their hashes are kept."""
    now_ms = hub().intake.now_ms()
    codes = second_factor.confirm(
        hub().engine, hub().config, operator().pk, request.form.get("code", ""), now_ms
    )
    if codes is None:
        return _code_page(_("Kode salah. Periksa jam ponsel, lalu tulis kode yang baru.")), 422
    return render_template("own_recovery.html", codes=codes)


@blueprint.post("/kode/lepas")
@needs(None, fresh=True)
def take_code_away() -> ResponseReturnValue:
    with writing(hub().engine) as connection:
        second_factor.take_away(connection, operator().pk)
    flash(_("Kode ponsel dilepas. Kata sandi saja sudah cukup untuk masuk."))
    return redirect(url_for("own.show"))


@blueprint.post("/kunci/mulai")
def ask_passkey() -> ResponseReturnValue:
    if not desk().sittings.is_proved(sitting()):
        return jsonify(problem=_("Keluar lalu masuk lagi dulu, baru tambahkan kunci sandi.")), 403
    with reading(hub().engine) as connection:
        asked = passkeys.ask_new(connection, origin(), operator())
    session[_ASKED] = asked.state
    return jsonify(asked.options)


@blueprint.post("/kunci")
@needs(None)
def take_passkey() -> ResponseReturnValue:
    asked, answer = session.pop(_ASKED, None), request.get_json(silent=True)
    if asked is None or not isinstance(answer, dict):
        abort(400)
    name = browser_name(request.user_agent.string)
    try:
        passkeys.take_new(hub().engine, origin(), operator(), asked, answer, name, hub().intake.now_ms())
    except HubError as problem:
        return jsonify(problem=problem.sentence(_)), 422
    return jsonify(onward=url_for("own.show"))


@blueprint.post(f"/kunci/{NUMBER}/hapus")
@needs(None, fresh=True)
def forget_passkey(number: int) -> ResponseReturnValue:
    with writing(hub().engine) as connection:
        if all(one.pk != number for one in passkeys.listed(connection, operator().pk)):
            abort(404)
        passkeys.forget(connection, operator().pk, number)
    flash(_("Kunci sandi dihapus. Hapus juga di ponsel atau komputernya."))
    return redirect(url_for("own.show"))


@blueprint.post("/tempat/<key>/keluarkan")
@needs(None)
def leave_place(key: str) -> ResponseReturnValue:
    desk().sittings.end_place(operator().pk, bytes_or_404(key))
    return redirect(url_for("own.show"))


@blueprint.post("/tempat-lain/keluarkan")
@needs(None)
def leave_others() -> ResponseReturnValue:
    desk().sittings.end_others(operator().pk, sitting().id)
    flash(_("Di tempat lain akun ini dikeluarkan."))
    return redirect(url_for("own.show"))


def _code_page(problem: str = "") -> str:
    with reading(hub().engine) as connection:
        if second_factor.is_in_force(connection, operator().pk):
            abort(404)
    secret = second_factor.begin(hub().engine, hub().config, operator().pk)
    return render_template(
        "own_code.html",
        drawing=drawn(second_factor.address(secret, operator().name), _("Kode QR untuk ponsel")),
        secret=second_factor.written(secret),
        problem=problem,
    )


def _page(password_problem: str = "") -> str:
    pk, standing = operator().pk, operator().standing
    places = desk().sittings.places(pk)
    with reading(hub().engine) as connection:
        return render_template(
            "own.html",
            role=NAMES[standing.role],
            scope=standing.scope,
            names=regions.names(connection, {standing.scope}),
            has_code=second_factor.is_in_force(connection, pk),
            recovery_left=second_factor.recovery_left(connection, pk),
            passkeys=passkeys.listed(connection, pk),
            places=[(place, browser_name(place.browser)) for place in places],
            this_place=key_of(sitting().id),
            least=operators.PASSWORD_LENGTH_MIN,
            password_problem=password_problem,
        )

"""Accounts of operators: who has one, inviting, ending; and the invited person's first visit."""

from __future__ import annotations

import secrets
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub import invitations, operators
from hub.db import reading
from hub.errors import HubError
from hub.operators import Account
from hub.queries import regions
from hub.roles import NAMES, Right, Role, Standing
from hub.views import typed
from hub.views.desk import desk, hub, needs, operator
from sync.errors import N_
from web.languages import gettext as _

blueprint = Blueprint("accounts", __name__)

_ROLES: Final = {role.value: role for role in Role}


@blueprint.get("/akun")
@needs(Right.MANAGE)
def listed() -> ResponseReturnValue:
    return _page()


@blueprint.post("/akun")
@needs(Right.MANAGE, fresh=True)
def invite() -> ResponseReturnValue:
    """The address of the invitation is shown once: only what proves it is kept."""
    given = request.form.get("region", "").strip()
    try:
        name = typed.one_line("name", operators.NAME_MOST, N_("Tulis nama akunnya."))
        role = _ROLES.get(request.form.get("role", ""))
        if role is None:
            raise typed.TypedError(N_("Pilih tugas akun ini."))
        with reading(hub().engine) as connection:
            region = typed.own_region(connection, typed.region_code(given), operator().standing)
        now_ms, standing = hub().intake.now_ms(), Standing(role, region)
        token = invitations.make(hub().engine, name, standing, secrets.token_urlsafe, now_ms)
    except HubError as refusal:
        return _page(given, refusal.sentence(_)), 422
    return _invited(name, token)


@blueprint.post("/akun/<name>/undang-lagi")
@needs(Right.MANAGE, fresh=True)
def invite_again(name: str) -> ResponseReturnValue:
    found = _own_or_404(name)
    if found.ended_ms is not None:
        abort(404)
    token = invitations.make_again(hub().engine, found.pk, secrets.token_urlsafe, hub().intake.now_ms())
    return _invited(name, token)


@blueprint.post("/akun/<name>/akhiri")
@needs(Right.MANAGE, fresh=True)
def end(name: str) -> ResponseReturnValue:
    _own_or_404(name)
    try:
        operators.end(hub().engine, name, hub().intake.now_ms())
    except HubError as refusal:
        return _page(problem=refusal.sentence(_)), 422
    flash(_("Akun %(name)s diakhiri. Yang dikerjakannya tetap tercatat.", name=name))
    return redirect(url_for("accounts.listed"))


@blueprint.route("/undangan/<token>", methods=["GET", "POST"])
def accept(token: str) -> ResponseReturnValue:
    """Open to whoever holds the invitation: choose a password, once."""
    now_ms = hub().intake.now_ms()
    with reading(hub().engine) as connection:
        invited = invitations.find(connection, token, now_ms) or abort(404)
    problem = ""
    if request.method == "POST":
        try:
            owner = invitations.accept(hub().engine, token, typed.new_password(), now_ms)
            desk().sittings.end_all_of(owner.pk)
        except HubError as refusal:
            problem = refusal.sentence(_)
        else:
            flash(_("Kata sandi disimpan. Masuklah dengan nama akun dan kata sandi itu."))
            return redirect(url_for("enter.enter"))
    page = render_template(
        "invited.html",
        name=invited.name,
        token=token,
        problem=problem,
        least=operators.PASSWORD_LENGTH_MIN,
    )
    return page, 422 if problem else 200


def _own_or_404(name: str) -> Account:
    with reading(hub().engine) as connection:
        accounts = operators.listed(connection, operator().standing)
    return next((one for one in accounts if one.name == name), None) or abort(404)


def _invited(name: str, token: str) -> str:
    address = url_for("accounts.accept", token=token, _external=True)
    return render_template("invitation.html", name=name, address=address, days=invitations.DAYS)


def _page(region: str = "", problem: str = "") -> str:
    with reading(hub().engine) as connection:
        accounts = operators.listed(connection, operator().standing)
        names = regions.names(connection, {one.standing.scope for one in accounts})
    return render_template(
        "accounts.html",
        accounts=accounts,
        names=names,
        roles=NAMES,
        region=region,
        problem=problem,
        name_most=operators.NAME_MOST,
    )

"""Couriers: officers who carry sticks between villages and the centre, each for one region."""

from __future__ import annotations

import secrets

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub import couriers, registry
from hub.errors import HubError
from hub.queries import regions
from hub.roles import Right
from hub.views import typed
from hub.views.desk import NUMBER, PAGE, hub, needs, operator, page_number, pages_of, seen
from hub.views.typed import TypedError
from sync.errors import N_
from web.languages import gettext as _

NAME_MOST = 100

blueprint = Blueprint("couriers", __name__, url_prefix="/petugas")


@blueprint.get("")
def listed() -> ResponseReturnValue:
    return _page()


@blueprint.post("")
@needs(Right.REGISTER)
def add() -> ResponseReturnValue:
    """The code is shown once: only what proves it is kept."""
    given, now_ms = request.form.get("region", "").strip(), hub().intake.now_ms()
    try:
        name = typed.one_line("name", NAME_MOST, N_("Tulis nama petugas."))
        region = typed.region_code(given)
        if not region:
            raise TypedError(N_("Tulis kode wilayah petugas, misalnya 17.05."))
        with seen() as connection:
            typed.own_region(connection, region, operator().standing)
        code = couriers.add(hub().engine, name, region, secrets.token_bytes, now_ms)
    except HubError as refusal:
        return _page(request.form.get("name", ""), given, refusal.sentence(_)), 422
    with seen() as connection:
        names = regions.names(connection, {region})
    return render_template(
        "courier_code.html", code=str(code), name=name, region=region, names=names, days=registry.CODE_DAYS
    )


@blueprint.post(f"/{NUMBER}/cabut")
@needs(Right.REGISTER, fresh=True)
def revoke(number: int) -> ResponseReturnValue:
    with seen() as connection:
        if all(one.pk != number for one in couriers.listed(connection)):
            abort(404)
    couriers.revoke(hub().engine, number)
    flash(_("Akses petugas dicabut. Flashdisk yang masih dibawanya tetap diterima pusat."))
    return redirect(url_for("couriers.listed"))


def _page(name: str = "", region: str = "", problem: str = "") -> str:
    with seen() as connection:
        everyone = couriers.listed(connection)
        page = min(page_number(), pages_of(len(everyone)))
        rows = everyone[(page - 1) * PAGE : page * PAGE]
        names = regions.names(connection, {row.region for row in rows})
    return render_template(
        "couriers.html",
        couriers=rows,
        names=names,
        total=len(everyone),
        page=page,
        pages=pages_of(len(everyone)),
        name=name,
        region=region,
        problem=problem,
        name_most=NAME_MOST,
    )

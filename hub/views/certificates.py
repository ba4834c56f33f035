"""Certificates: those that were issued, withdrawing one, issuing what is due; and the check that is open to everybody."""

from __future__ import annotations

import json
from typing import Final

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub import certificates, open_badge
from hub.db import reading
from hub.queries import certificates as issued
from hub.queries import regions
from hub.roles import Right
from hub.views import typed
from hub.views.desk import PAGE, hub, needs, operator, seen
from sync.certificate import MARK, Standing, read_certificate
from sync.errors import N_, LontarError
from web.languages import gettext as _

REASON_MOST: Final = 300
NUMBER_MOST: Final = 80

blueprint = Blueprint("certificates", __name__)


@blueprint.get("/sertifikat")
def listed() -> ResponseReturnValue:
    return _page()


@blueprint.get("/sertifikat/bukti")
def proof() -> ResponseReturnValue:
    """Lead from a number in the list to the page that everybody sees who scans that certificate."""
    number = request.args.get("nomor", "")
    with seen() as connection:
        certificates.find(connection, number)
        code = issued.code_of(connection, hub().config, number)
    if code is None:
        flash(
            _("Sertifikat %(number)s tidak dapat diperiksa lagi: namanya sudah dihapus.", number=number),
            "warn",
        )
        return redirect(url_for("certificates.listed", q=number))
    return redirect(url_for("certificates.scanned", code=code))


@blueprint.post("/sertifikat/tarik")
@needs(Right.CERTIFY, fresh=True)
def withdraw() -> ResponseReturnValue:
    try:
        number = typed.one_line("number", NUMBER_MOST, N_("Tulis nomor sertifikatnya."))
        reason = typed.one_line("reason", REASON_MOST, N_("Tulis alasannya; desa membacanya."))
        with seen() as connection:
            certificates.find(connection, number)
        certificates.withdraw(hub().engine, number, reason, hub().intake.now_ms())
    except LontarError as refusal:
        return _page(refusal.sentence(_)), 422
    flash(
        _("Sertifikat %(number)s ditarik. Desanya mendapat kabar saat berikutnya terhubung.", number=number)
    )
    return redirect(url_for("certificates.listed"))


@blueprint.post("/sertifikat/terbitkan")
@needs(Right.CERTIFY)
def issue() -> ResponseReturnValue:
    scope = operator().standing.scope
    count = certificates.issue_within(hub().engine, hub().config, scope, hub().intake.now_ms())
    flash(_("%(count)s sertifikat diterbitkan.", count=count))
    return redirect(url_for("certificates.listed"))


@blueprint.route("/periksa", methods=["GET", "POST"])
def check() -> ResponseReturnValue:
    """Open to everybody: whoever holds a certificate sees what it proves, and no more than stands on it."""
    if request.method == "GET":
        return render_template("certificate_check.html")
    return _verdict(request.form.get("code", ""))


@blueprint.get("/P/<code>")
def scanned(code: str) -> ResponseReturnValue:
    """What a telephone's camera opens."""
    return _verdict(code)


@blueprint.get("/p/<code>")
def scanned_small(code: str) -> ResponseReturnValue:
    return redirect(url_for("certificates.scanned", code=code.upper()))


@blueprint.get("/P/<code>/lencana.json")
def badge(code: str) -> ResponseReturnValue:
    """The certificate as an Open Badge, for whoever holds its code; none of what isn't confirmed or was withdrawn."""
    with reading(hub().engine) as connection:
        try:
            found = read_certificate(
                f"/P/{code}", issued.hub_keys(connection, hub().config), lambda device, village: None
            )
        except LontarError:
            abort(404)
        known = issued.of_claim(connection, found.claim)
    if found.standing is not Standing.CONFIRMED or known is None or known.withdrawn is not None:
        abort(404)
    made = open_badge.made(found, hub().config.hub_key, hub().config.public_url)
    headers = {"Content-Disposition": 'attachment; filename="sertifikat.json"'}
    return Response(
        json.dumps(made, ensure_ascii=False), content_type=open_badge.MEDIA_TYPE, headers=headers
    )


def _verdict(code: str) -> ResponseReturnValue:
    text = code if "/" in code else f"/P/{code}"
    # Open to everybody, wherever it was issued.
    with reading(hub().engine) as connection:
        try:
            found = read_certificate(
                text,
                issued.hub_keys(connection, hub().config),
                lambda device, village: issued.speaks_for(connection, device, village),
            )
        except LontarError as refusal:
            return render_template("certificate_check.html", problem=refusal.sentence(_), code=code), 422
        known = issued.of_claim(connection, found.claim)
        names = regions.names(connection, {found.claim.village})
    village = names.by_code.get(found.claim.village, found.claim.village)
    can_be_worn = found.standing is Standing.CONFIRMED and known is not None and known.withdrawn is None
    return render_template(
        "certificate_check.html",
        found=found,
        known=known,
        village=village,
        badge=text.rpartition(MARK)[2] if can_be_worn else "",
    )


def _page(problem: str = "") -> str:
    search, page = request.args.get("q", "").strip(), max(1, request.args.get("halaman", 1, int))
    with seen() as connection:
        rows, total = issued.listed(connection, search, PAGE, (page - 1) * PAGE)
        names = regions.names(connection, {row.village for row in rows})
    return render_template(
        "certificates.html",
        rows=rows,
        total=total,
        names=names,
        search=search,
        page=page,
        pages=max(1, -(-total // PAGE)),
        problem=problem,
        values=request.form,
    )

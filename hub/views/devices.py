"""Devices: which are silent, which wait for a decision, and the decision itself."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub import quarantine, registry, unlock
from hub.errors import HubError
from hub.quarantine import Apart, Decided
from hub.queries import alerts, devices, regions
from hub.roles import Right
from hub.views import typed
from hub.views.desk import PAGE, hub, needs, operator, page_number, pages_of, seen
from hub.views.places import bytes_or_404
from hub.views.typed import TypedError
from hub.views.words import STATES
from sync.errors import N_, MalformedError
from sync.keys import sha256
from web.languages import gettext as _

ALERTS_SHOWN = 20

blueprint = Blueprint("devices", __name__)


@blueprint.get("/perangkat")
def listed() -> ResponseReturnValue:
    state = request.args.get("keadaan", "")
    if state not in STATES:
        state = ""
    now_ms = hub().intake.now_ms()
    with seen() as connection:
        total = devices.count(connection, state, now_ms)
        page = min(page_number(), pages_of(total))
        rows = devices.listed(connection, state, now_ms, PAGE, (page - 1) * PAGE)
        names = regions.names(connection, {row.village for row in rows})
    return render_template(
        "devices.html",
        devices=rows,
        names=names,
        state=state,
        states=STATES,
        total=total,
        now_ms=now_ms,
        page=page,
        pages=pages_of(total),
    )


@blueprint.get("/perangkat/<number>")
def device(number: str) -> ResponseReturnValue:
    return _page(number)


@blueprint.post("/perangkat/<number>/setujui")
@needs(Right.REGISTER)
def approve(number: str) -> ResponseReturnValue:
    registry.approve(hub().engine, _seen_or_404(number), hub().intake.now_ms())
    flash(_("Perangkat disetujui. Yang sudah dikirimnya kini ikut dihitung."))
    return redirect(url_for("devices.device", number=number))


@blueprint.post("/perangkat/<number>/tolak")
@needs(Right.REGISTER)
def refuse(number: str) -> ResponseReturnValue:
    registry.refuse(hub().engine, _seen_or_404(number), hub().intake.now_ms())
    flash(_("Perangkat ditolak."))
    return redirect(url_for("devices.device", number=number))


@blueprint.post("/perangkat/<number>/cabut")
@needs(Right.REGISTER, fresh=True)
def revoke(number: str) -> ResponseReturnValue:
    id_ = _seen_or_404(number)
    try:
        reason = typed.reason()
    except TypedError as refusal:
        return _page(number, revoke_problem=refusal.sentence(_)), 422
    registry.revoke(hub().engine, id_, hub().intake.now_ms(), reason)
    flash(_("Perangkat dicabut. Yang sudah diterima tetap ada; kiriman berikutnya dikarantina."))
    return redirect(url_for("devices.device", number=number))


@blueprint.post("/perangkat/<number>/karantina")
@needs(Right.DECIDE)
def decide(number: str) -> ResponseReturnValue:
    """Let all, some or none of what is kept apart count. What came after the page was shown is decided anew."""
    id_ = bytes_or_404(number)
    with seen() as connection:
        found = devices.find(connection, id_) or abort(404)
        apart = quarantine.of_device(connection, found.pk)
    until = request.form.get("until", type=int)
    try:
        if request.form.get("seen") != mark_of(apart):
            raise TypedError(N_("Isi karantina berubah sejak halaman dibuka. Periksa lagi, lalu putuskan."))
        accepted = _up_to(apart, until, request.form.get("decision", ""))
        reason = typed.reason() if len(accepted) < len(apart) else ""
    except TypedError as refusal:
        return _page(number, quarantine_problem=refusal.sentence(_)), 422
    rejected = {one.pk for one in apart} - set(accepted)
    now_ms, by = hub().intake.now_ms(), operator().name
    total = quarantine.decide(hub().engine, id_, accepted, rejected, reason, now_ms, by)
    rest = sum(one.count for one in apart) - total
    flash(_("%(accepted)s catatan diterima, %(rejected)s ditolak.", accepted=total, rejected=rest))
    return redirect(url_for("devices.device", number=number))


@blueprint.post("/perangkat/<number>/karantina/ubah")
@needs(Right.DECIDE)
def revise(number: str) -> ResponseReturnValue:
    """Turn round what was decided of one segment, or of all that were rejected, or of all that were accepted."""
    id_ = bytes_or_404(number)
    with seen() as connection:
        found = devices.find(connection, id_) or abort(404)
        decided = quarantine.decided(connection, found.pk)
    try:
        if request.form.get("seen") != mark_of_decided(decided):
            raise TypedError(N_("Keputusan ini berubah sejak halaman dibuka. Periksa lagi, lalu putuskan."))
        accepted, rejected = _turned(decided, request.form.get("turn", ""))
        reason = typed.reason() if rejected else ""
    except TypedError as refusal:
        return _page(number, revision_problem=refusal.sentence(_)), 422
    now_ms, by = hub().intake.now_ms(), operator().name
    quarantine.revise(hub().engine, id_, accepted, rejected, reason, now_ms, by)
    counts = {one.pk: one.count for one in decided}
    flash(
        _(
            "%(accepted)s catatan kini dihitung, %(rejected)s tidak lagi.",
            accepted=sum(counts[pk] for pk in accepted),
            rejected=sum(counts[pk] for pk in rejected),
        )
    )
    return redirect(url_for("devices.device", number=number))


@blueprint.post("/perangkat/<number>/kode-pembuka")
@needs(Right.REGISTER)
def give_code(number: str) -> ResponseReturnValue:
    """The code is shown once, to be read out on the telephone."""
    id_, challenge = _seen_or_404(number), request.form.get("challenge", "")
    try:
        codes = unlock.give(hub().engine, hub().config, id_, challenge, hub().intake.now_ms())
    except (HubError, MalformedError) as refusal:
        return _page(number, unlock_problem=refusal.sentence(_)), 422
    return render_template("unlock_code.html", number=number, codes=codes, device_id=id_)


def _seen_or_404(number: str) -> bytes:
    """The device's number, if it lies where the operator may see it."""
    id_ = bytes_or_404(number)
    with seen() as connection:
        return id_ if devices.find(connection, id_) else abort(404)


def mark_of(apart: list[Apart]) -> str:
    """What a page showed of a quarantine, so that nothing is decided unseen."""
    return sha256(b",".join(b"%d" % one.pk for one in apart))[:8].hex()


def mark_of_decided(decided: list[Decided]) -> str:
    """What a page showed of decisions, so that nothing is turned round unseen."""
    return sha256(b",".join(b"%d:%d" % (one.pk, one.rejected) for one in decided))[:8].hex()


def _turned(decided: list[Decided], turn: str) -> tuple[list[int], list[int]]:
    """The segments to accept and those to reject: one by its number, or all that are decided one way.

    Raises:
        TypedError: no such segment was decided.
    """
    chosen = [one for one in decided if turn in (str(one.pk), "accept" if one.rejected else "reject")]
    if not chosen:
        raise TypedError(N_("Pilih keputusan yang diubah."))
    return [one.pk for one in chosen if one.rejected], [one.pk for one in chosen if not one.rejected]


def _up_to(apart: list[Apart], until: int | None, decision: str) -> list[int]:
    """The segments to accept: all, none, or those listed up to and with `until`.

    Raises:
        TypedError: no decision was made, or about a segment that isn't there.
    """
    pks = [one.pk for one in apart]
    if until in pks:
        return pks[: pks.index(until) + 1]
    if until is None and decision in ("all", "none"):
        return pks if decision == "all" else []
    raise TypedError(N_("Pilih yang diterima: semua, sampai satu baris, atau tidak ada."))


def _page(
    number: str,
    revoke_problem: str = "",
    quarantine_problem: str = "",
    revision_problem: str = "",
    unlock_problem: str = "",
) -> str:
    with seen() as connection:
        found = devices.find(connection, bytes_or_404(number)) or abort(404)
        logs = devices.logs(connection, found.pk)
        rows = alerts.listed(connection, ALERTS_SHOWN, device=found.pk)
        apart = quarantine.of_device(connection, found.pk)
        decided = quarantine.decided(connection, found.pk)
        names = regions.names(connection, {found.village})
    return render_template(
        "device.html",
        device=found,
        logs=logs,
        alerts=rows,
        apart=apart,
        seen=mark_of(apart),
        decided=decided,
        seen_decided=mark_of_decided(decided),
        names=names,
        now_ms=hub().intake.now_ms(),
        revoke_problem=revoke_problem,
        quarantine_problem=quarantine_problem,
        revision_problem=revision_problem,
        unlock_problem=unlock_problem,
        reason_most=typed.REASON_MOST,
    )

"""Silent villages: which, since when, what to do next, and the list that an officer takes along."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from hub import regions as region_list
from hub import route_paper
from hub.advice import SENTENCES, STEPS, Step
from hub.errors import HubError
from hub.queries import persons, regions, rosters, silent
from hub.queries.silent import SilentVillage
from hub.roles import Right
from hub.views import typed
from hub.views.desk import PAGE, hub, must, operator, page_number, pages_of, seen
from hub.views.words import stretch
from sync.errors import N_
from web.dates import day, moment, size
from web.languages import gettext as _
from web.languages import spoken
from web.qr import drawn
from web.zones import ZONES, zone_of

DAYS: Final = 14
DAYS_MOST: Final = 3650
PAGES_MOST: Final = 10_000
"""More than a nation of silent villages fills."""
ROUTE_MOST: Final = 500
"""Villages on one list; regencies have about two hundred."""
WITHOUT: Final = "tanpa-perangkat"
SLUGS: Final = {
    "putuskan": Step.DECIDE,
    "cari": Step.SEEK,
    "ganti": Step.REPLACE,
    "mulai": Step.BEGIN,
    "kunjungi": Step.VISIT,
    "hubungi": Step.CALL,
    "tunggu": Step.WAIT,
}
"""What each first step is called in addresses."""
_DAY_MS: Final = 24 * 3600 * 1000
_ROUTES: Final = (5, 8)
"""How long the codes are for which there is a list: of regencies and districts."""

blueprint = Blueprint("silent", __name__, url_prefix="/senyap")


@blueprint.get("")
def listed() -> ResponseReturnValue:
    region, days = request.args.get("wilayah", "").strip(), request.args.get("lama", str(DAYS)).strip()
    wanted = request.args.get("langkah", "")
    step = SLUGS.get(wanted)
    now_ms = hub().intake.now_ms()
    try:
        quiet_ms = _days(days) * _DAY_MS
    except HubError as refusal:
        return _page(region, days, "lama", refusal.sentence(_)), 422
    with seen() as connection:
        try:
            code = typed.region_code(region) or operator().standing.scope
            code = typed.own_region(connection, code, operator().standing)
        except HubError as refusal:
            return _page(region, days, "wilayah", refusal.sentence(_)), 422
        # To count them in the whole nation takes as long as the rest of this page.
        is_counted = bool(code) or wanted == WITHOUT
        without = silent.count_without(connection, code) if is_counted else None
        asked = min(page_number(), PAGES_MOST)
        skip = (asked - 1) * PAGE
        rows, counts = silent.listed(connection, code, quiet_ms, now_ms, PAGE, skip, step)
        total = sum(counts.values()) if step is None else counts.get(step, 0)
        if wanted == WITHOUT:
            rows, total = [], without or 0
        page = min(asked, pages_of(total))
        bare: list[str] = []
        if wanted == WITHOUT:
            bare = silent.without(connection, code, PAGE, (page - 1) * PAGE)
        elif page < asked:
            # Since somebody asked for this page, villages were heard of again.
            last = (page - 1) * PAGE
            rows, counts = silent.listed(connection, code, quiet_ms, now_ms, PAGE, last, step)
        names = regions.names(connection, {*(row.village for row in rows), *bare, code})
    return _page(
        region,
        days,
        rows=rows,
        bare=bare,
        names=names,
        counts=counts,
        without=without,
        total=total,
        wanted=wanted,
        code=code,
        now_ms=now_ms,
        page=page,
        pages=pages_of(total),
    )


@blueprint.get("/rute/<code>")
def route(code: str) -> ResponseReturnValue:
    """The silent villages of a district or regency in the order of their codes, to be printed and ticked off."""
    now_ms = hub().intake.now_ms()
    with seen() as connection:
        is_own = operator().standing.covers(code) and len(code) in _ROUTES
        here = region_list.find(connection, code) if is_own else None
        if here is None:
            abort(404)
        try:
            days = _days(request.args.get("lama", str(DAYS)))
        except HubError:
            abort(404)
        rows = silent.along_the_way(connection, code, days * _DAY_MS, now_ms, ROUTE_MOST)
        here_and_there = [row.village for row in rows]
        asked = rosters.in_charge(connection, here_and_there)
        asked |= persons.in_charge(connection, here_and_there)
        names = regions.names(connection, {code, *(row.village for row in rows)})
    stops = [_stop(row, asked.get(row.village, ()), now_ms, names) for row in rows]
    place = ", ".join(part for part in (here.name, names.above(code)) if part)
    if request.args.get("bentuk") == "pdf":
        return _as_pdf(code, place, stops, days, now_ms)
    return render_template(
        "route.html",
        region=here,
        place=place,
        stops=stops,
        days=days,
        now_ms=now_ms,
        address=hub().config.public_url,
        qr=drawn,
        is_whole=len(rows) < ROUTE_MOST,
        most=ROUTE_MOST,
    )


def sentences(village: SilentVillage, now_ms: int) -> list[str]:
    """What to do about a village, a sentence each, the first one now."""
    known = village.known
    said = {
        "who": ", ".join(known.couriers) or _("operator desa"),
        "when": _day(known.road_ms),
        "stretch": stretch(now_ms - known.since_ms),
        "off": ", ".join(_off(ms) for ms in known.clocks_ms),
        "packs": ", ".join(known.packs),
    }
    return [_(SENTENCES[step], **said) for step in village.steps(now_ms)]


def clock(village: SilentVillage) -> str:
    """How right the clocks of a village's laptops were when they were last in contact."""
    if village.clocks_ms is None:
        return _("belum diketahui")
    return ", ".join(_off(ms) for ms in village.clocks_ms) or _("benar")


def _stop(
    village: SilentVillage, asked: Sequence[tuple[str, str]], now_ms: int, names: regions.Names
) -> route_paper.Stop:
    packs = [
        _(
            "Paket %(title)s versi %(version)s (%(size)s)",
            title=one.title,
            version=one.version,
            size=size(one.size),
        )
        for one in village.lacking
    ]
    mail = (
        _("Flashdisk dengan surat desa (%(count)s bagian siap)", count=village.parts)
        if village.parts
        else _("Flashdisk dengan surat desa")
    )
    history = [_("Riwayat belajar yang diminta laptop desa")] if village.wants_history else []
    if village.registered:
        brought = [mail, *history, *packs]
    else:
        brought = [] if village.waiting else [_("Kode pendaftaran untuk laptop pengganti")]
    return route_paper.Stop(
        names.by_code.get(village.village, village.village),
        village.village,
        names.by_code.get(village.village[: silent.DISTRICT], village.village[: silent.DISTRICT]),
        moment(village.heard_ms) if village.heard_ms else _("Belum pernah"),
        tuple(sentences(village, now_ms)),
        tuple(brought),
        tuple(f"{name} ({position})" for name, position in asked) or (_("Operator desa"),),
    )


def _as_pdf(
    code: str, place: str, stops: Sequence[route_paper.Stop], days: int, now_ms: int
) -> ResponseReturnValue:
    must(Right.EXPORT)
    made_at = datetime.fromtimestamp(now_ms / 1000, ZONES[zone_of(code)])
    words = route_paper.Words(
        title=_("Daftar kunjungan"),
        place=place,
        about=_(
            "%(count)s desa tidak terdengar lebih dari %(days)s hari. Beri tanda setelah dikunjungi.",
            count=len(stops),
            days=days,
        ),
        printed=_("Dicetak %(moment)s", moment=moment(now_ms)),
        pages=_("Halaman %(page)s dari %(pages)s", page="%(page)s", pages="%(pages)s"),
        headings=(
            _("Desa"), _("Kontak terakhir"), _("Yang dilakukan"), _("Yang dibawa"), _("Temui"), _("Paraf dan tanggal"),
        ),
        address=hub().config.public_url,
        scan=_("Alamat pusat, untuk laptop yang baru disambungkan"),
        language=spoken(),
    )  # fmt: skip
    response = Response(route_paper.drawn(words, stops, made_at), mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"daftar-kunjungan-{code}.pdf")
    return response


def _days(text: str) -> int:
    """
    Raises:
        TypedError: that is no number of days.
    """
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= DAYS_MOST:
        raise typed.TypedError(
            N_("Tulis lamanya dalam hari, dari 1 sampai %(most)s, misalnya 14."), most=DAYS_MOST
        )
    return int(text)


def _day(ms: int | None) -> str:
    return "" if ms is None else day(datetime.fromtimestamp(ms / 1000, UTC).date())


def _off(ms: int) -> str:
    if ms > 0:
        return _("%(time)s terlalu cepat", time=stretch(ms))
    return _("%(time)s terlambat", time=stretch(-ms))


def _page(region: str, days: str, wrong: str = "", problem: str = "", **found: object) -> str:
    """`wrong` is the field that the problem is with."""
    return render_template(
        "silent.html",
        region=region,
        days=days,
        wrong=wrong,
        problem=problem,
        steps=STEPS,
        slugs=SLUGS,
        WITHOUT=WITHOUT,
        sentences=sentences,
        clock=clock,
        **found,
    )

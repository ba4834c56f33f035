"""How training is going, from the nation down to a village: figures and charts, by course and by months of completion."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any, Final

from babel.dates import format_date
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from hub import charts, figures, kept
from hub import regions as region_list
from hub.charts import Chart, Pair, Value
from hub.errors import BusyError
from hub.queries import summary
from hub.queries.regions import CHILD
from hub.queries.summary import Asked, Figures, Summary
from hub.regions import Region
from hub.views.desk import hub, operator, seen
from hub.views.places import bytes_or_404
from hub.views.typed import TypedError
from sync.errors import N_
from web.dates import number, score
from web.languages import form_of, spoken
from web.languages import gettext as _
from web.zones import ZONES

FIRST_MONTH: Final = "2026-01"
MONTHS_SHOWN: Final = 12
MONTHS_MOST: Final = 36
SLOW_S: Final = 0.2
"""What took longer to work out than this is shown again for a while."""
FRESH_MS: Final = 30 * 60 * 1000

_MONTH: Final = re.compile(r"20\d\d-(0[1-9]|1[0-2])")

blueprint = Blueprint("summary", __name__, url_prefix="/kemajuan")


@blueprint.get("")
def nation() -> ResponseReturnValue:
    scope = operator().standing.scope
    if scope:
        return redirect(url_for("summary.region", code=scope, **_filters()))
    _catch_up()
    with seen() as connection:
        return _page(connection, Region("", "", ""))


@blueprint.get("/<code>")
def region(code: str) -> ResponseReturnValue:
    _catch_up()
    with seen() as connection:
        found = region_list.find(connection, code) if operator().standing.covers(code) else None
        return _page(connection, found or abort(404))


def _page(connection: Connection, here: Region) -> ResponseReturnValue:
    now_ms = hub().intake.now_ms()
    key = request.args.get("pelatihan", "").strip()
    titles = summary.titles(connection)
    course_key = bytes_or_404(key) if key else None
    if course_key is not None and course_key not in titles:
        abort(404)
    problem, first, last = "", "", ""
    try:
        first, last = _period(_this_month(now_ms))
    except TypedError as refusal:
        problem = refusal.sentence(_)
    asked = Asked(here.code, course_key, first, last)
    made, made_ms = _summary(connection, asked, now_ms)
    children = region_list.children(connection, here.code) if len(here.code) in CHILD else []
    page = render_template(
        "summary.html",
        region=here,
        path=region_list.path(connection, here.parent),
        children=[child for child in children if child.code in made.parts],
        made=made,
        made_ms=made_ms,
        now_ms=now_ms,
        asked=asked,
        titles={key.hex(): title for key, title in titles.items()},
        kept_filters=_filters(),
        typed_months=(request.args.get("dari", ""), request.args.get("sampai", "")),
        drawings=_drawings(asked, made, children, titles, _this_month(now_ms)),
        problem=problem,
    )
    return page, 422 if problem else 200


def _catch_up() -> None:
    """Add up the few villages of which something was merged since; if that can't be now, the page is a little behind."""
    with suppress(BusyError):
        figures.refresh(hub().engine)


def _filters() -> dict[str, Any]:
    """What was asked for, to be asked for again of another region."""
    return {name: request.args[name] for name in ("pelatihan", "dari", "sampai") if request.args.get(name)}


def _summary(connection: Connection, asked: Asked, now_ms: int) -> tuple[Summary, int]:
    """(the figures, when they were worked out). Those of large regions are kept for a while if they took long."""
    width, scope = CHILD.get(len(asked.code)), operator().standing.scope
    if width is not None and width > CHILD[2]:
        return summary.of_region(connection, asked, width), now_ms
    course = asked.course_key.hex() if asked.course_key else ""
    subject = f"kemajuan/{asked.code}/{course}/{asked.first}/{asked.last}"
    known = kept.find(connection, subject, scope, now_ms - FRESH_MS)
    if known is not None:
        return summary.from_json(known.result), known.made_ms
    begun = time.monotonic()
    made = summary.of_region(connection, asked, width)
    if time.monotonic() - begun > SLOW_S:
        kept.keep(hub().engine, subject, scope, summary.as_json(made), now_ms)
    return made, now_ms


def _period(this_month: str) -> tuple[str, str]:
    """The months that are asked for, or two empty texts.

    Raises:
        TypedError: one of them is no month, or the last lies before the first.
    """
    first, last = request.args.get("dari", "").strip(), request.args.get("sampai", "").strip()
    if not first and not last:
        return "", ""
    first, last = first or FIRST_MONTH, last or this_month
    if not _MONTH.fullmatch(first) or not _MONTH.fullmatch(last):
        raise TypedError(N_("Tulis bulan seperti 2026-11: tahun, tanda hubung, bulan."))
    if last < first:
        raise TypedError(N_("Bulan terakhir tidak boleh sebelum bulan pertama."))
    return first, last


def _this_month(now_ms: int) -> str:
    return f"{datetime.fromtimestamp(now_ms / 1000, ZONES['WIB']):%Y-%m}"


def _drawings(
    asked: Asked, made: Summary, children: Sequence[Region], titles: Mapping[bytes, str], this_month: str
) -> dict[str, Chart]:
    """The charts of a page, by their place; those that would show nothing are left out."""
    found = {}
    if not asked.code and children:
        found["map"] = _map(asked, made, children)
    elif made.parts:
        found["parts"] = _parts(made, children)
    if any(made.months.values()):
        found["months"] = _months(asked, made, this_month)
    if sum(made.scores):
        found["scores"] = _scores(made)
    pairs = _pairs(asked, made, children, titles)
    if pairs:
        head = (_("Bagian"), _("Tes awal"), _("Tes akhir"))
        about = _("Rata-rata nilai terbaik peserta yang mengerjakan kedua tes, dari 0 sampai 100.")
        found["gain"] = charts.pairs(_("Sebelum dan sesudah belajar"), about, head, pairs)
    return found


def _map(asked: Asked, made: Summary, children: Sequence[Region]) -> Chart:
    filters, values = _filters(), {}
    for child in children:
        share = made.parts.get(child.code, Figures()).share
        link = url_for("summary.region", code=child.code, **filters)
        values[child.code] = Value(child.name, share, _percent(share), link)
    about = _("Setiap kotak satu provinsi, angkanya persen pelatihan yang selesai dari yang dimulai.")
    head = (_("Provinsi"), _("Selesai, persen"))
    return charts.tiles(_("Bagian yang selesai menurut provinsi"), about, head, values)


def _parts(made: Summary, children: Sequence[Region]) -> Chart:
    rows = [(child.name, made.parts[child.code].share) for child in children if child.code in made.parts]
    values = [Value(name, share, "–" if share is None else f"{_percent(share)} %") for name, share in rows]
    about = _("Dari setiap seratus pelatihan yang dimulai, berapa yang selesai.")
    return charts.bars(_("Bagian yang selesai"), about, (_("Wilayah"), _("Selesai")), values)


def _months(asked: Asked, made: Summary, this_month: str) -> Chart:
    months = [asked.last or this_month]
    first = asked.first or _before(this_month, MONTHS_SHOWN - 1)
    while months[0] > first and len(months) < MONTHS_MOST:
        months.insert(0, _before(months[0]))
    counts = [made.months.get(month, 0) for month in months]
    values = [
        Value(_month_name(month), share, number(count), short=_month_short(month))
        for month, count, share in zip(months, counts, charts.shares(counts), strict=True)
    ]
    about = _("Berapa pelatihan yang selesai dalam setiap bulan.")
    return charts.columns(_("Selesai per bulan"), about, (_("Bulan"), _("Selesai")), values)


def _scores(made: Summary) -> Chart:
    tops = [*(f"{at * 10}–{at * 10 + 9}" for at in range(summary.STEPS - 1)), "90–100"]
    values = [
        Value(top, share, number(count), short=top.partition("–")[0])
        for top, count, share in zip(tops, made.scores, charts.shares(made.scores), strict=True)
    ]
    about = _("Berapa peserta yang nilai tes akhir terbaiknya ada di setiap kelompok nilai.")
    return charts.columns(_("Sebaran nilai tes akhir"), about, (_("Nilai"), _("Peserta")), values)


def _pairs(
    asked: Asked, made: Summary, children: Sequence[Region], titles: Mapping[bytes, str]
) -> list[Pair]:
    """By course if all are asked for; of one course by part."""
    rows: list[tuple[str, Figures]]
    if asked.course_key is None:
        rows = [(titles.get(bytes.fromhex(key)) or key[:12], one) for key, one in made.courses.items()]
    else:
        rows = [(child.name, made.parts[child.code]) for child in children if child.code in made.parts]
        rows = rows or [(titles.get(asked.course_key, ""), made.whole)]
    return [
        Pair(name, _score_value(_("Tes awal"), one.before), _score_value(_("Tes akhir"), one.after))
        for name, one in rows
        if one.paired
    ]


def _score_value(label: str, hundredths: int | None) -> Value:
    return Value(label, None if hundredths is None else hundredths / 10_000, score(hundredths))


def _percent(share: float | None) -> str:
    return "–" if share is None else str(round(share * 100))


def _before(month: str, count: int = 1) -> str:
    at = int(month[:4]) * 12 + int(month[5:]) - 1 - count
    return f"{at // 12}-{at % 12 + 1:02}"


def _month_name(month: str) -> str:
    return format_date(date.fromisoformat(f"{month}-01"), "MMMM y", locale=form_of(spoken()))


def _month_short(month: str) -> str:
    """The month's short name; in January the year, so that years can be told apart."""
    if month.endswith("-01"):
        return f"’{month[2:4]}"
    return format_date(date.fromisoformat(f"{month}-01"), "MMM", locale=form_of(spoken()))

"""Dates and numbers as people here write them: "15 Oktober 2026 pukul 14.05 WIB", "1.234,5".

Template filters and plain functions; the language is the page's, or the command's. Times are shown in one fixed
zone of the village (`ZONE`: WIB, WITA or WIT), named beside them, whatever the zone of the computer. A language
that Babel doesn't know has Indonesian forms.
"""

from __future__ import annotations

import math
from datetime import date, datetime

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import Flask, current_app

from web.languages import form_of, spoken
from web.languages import gettext as _
from web.zones import ZONES


def prepare(app: Flask) -> None:
    app.config.setdefault("ZONE", "WIB")
    app.jinja_env.filters.update(
        moment=moment, day=day, number=number, score=score, size=size, minutes=minutes
    )


def moment(ms: int | None) -> str:
    """Milliseconds since 1970 as date, time and zone; "–" for None."""
    return moment_in(ms, current_app.config["ZONE"])


def moment_in(ms: int | None, zone_name: str) -> str:
    """The same in a zone that is given: for commands, and for what is printed."""
    if ms is None:
        return "–"
    zone = ZONES[zone_name]
    at = datetime.fromtimestamp(ms / 1000, zone)
    if form_of(spoken()) == "en":
        return f"{day(at.date())}, {at:%H:%M} {zone}"
    return _("%(day)s pukul %(time)s", day=day(at.date()), time=f"{at:%H.%M} {zone}")


def day(value: date | str | None) -> str:
    """A date (also as ISO 8601 text) with the month's name; what is no date is shown as it is."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return str(value)
    return "–" if value is None else format_date(value, "d MMMM y", locale=form_of(spoken()))


def number(value: float, decimals: int = 1) -> str:
    """With this language's signs and at most `decimals` decimals."""
    return format_decimal(round(value, decimals), locale=form_of(spoken()))


def score(hundredths: int | None) -> str:
    """Hundredths of a percent as a mark from 0 to 100; "–" for None."""
    return "–" if hundredths is None else number(hundredths / 100)


def size(count: int) -> str:
    """Bytes as people say them: "512 B", "12 KB", "1,5 MB"."""
    for unit, bytes_of_it, decimals in (("GB", 1 << 30, 1), ("MB", 1 << 20, 1), ("KB", 1 << 10, 0)):
        if count >= bytes_of_it:
            return f"{number(count / bytes_of_it, decimals)} {unit}"
    return f"{count} B"


def minutes(seconds: int) -> str:
    """A stretch of time, rounded up to whole minutes."""
    total = math.ceil(seconds / 60)
    if total < 60:
        return _("%(count)s menit", count=total)
    if total % 60 == 0:
        return _("%(hours)s jam", hours=total // 60)
    return _("%(hours)s jam %(count)s menit", hours=total // 60, count=total % 60)


def wait(seconds: int) -> str:
    """A short wait: seconds below a minute, else minutes rounded up."""
    return _("%(count)s detik", count=seconds) if seconds < 60 else minutes(seconds)

"""Dates and numbers as people here write them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from flask import Flask

from web import dates, languages
from web.app import prepare

OCTOBER_15_0705_UTC = 1_792_047_900_000


def shown(function: Callable[[], str], lang: str = "id", zone: str = "WIB") -> str:
    app = Flask("tests.web")
    app.config.from_mapping(SECRET_KEY="k", ZONE=zone)
    prepare(app)
    with app.test_request_context(f"/?lang={lang}"):
        return function()


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("WIB", "15 Oktober 2026 pukul 14.05 WIB"),
        ("WITA", "15 Oktober 2026 pukul 15.05 WITA"),
        ("WIT", "15 Oktober 2026 pukul 16.05 WIT"),
    ],
)
def test_a_moment_is_shown_in_the_zone_of_the_place(zone: str, expected: str) -> None:
    assert shown(lambda: dates.moment(OCTOBER_15_0705_UTC), zone=zone) == expected


def test_a_moment_in_english() -> None:
    assert shown(lambda: dates.moment(OCTOBER_15_0705_UTC), lang="en") == "15 October 2026, 14:05 WIB"


def test_no_moment_is_a_dash() -> None:
    assert shown(lambda: dates.moment(None)) == "–"


def test_a_day_may_come_as_iso_text_and_other_text_stays() -> None:
    assert shown(lambda: dates.day("2026-03-01")) == "1 Maret 2026"
    assert shown(lambda: dates.day("awal 2026")) == "awal 2026"


def test_numbers_use_the_signs_of_the_language() -> None:
    assert shown(lambda: dates.number(1234.5)) == "1.234,5"
    assert shown(lambda: dates.number(1234.5), lang="en") == "1,234.5"


def test_scores_are_marks_out_of_a_hundred() -> None:
    assert shown(lambda: dates.score(6667)) == "66,7"
    assert shown(lambda: dates.score(10_000)) == "100"
    assert shown(lambda: dates.score(None)) == "–"


def test_sizes_are_said_in_the_unit_that_people_would_use() -> None:
    said = [
        shown(lambda bytes_=bytes_: dates.size(bytes_)) for bytes_ in (0, 640, 26_000, 1_600_000, 5 << 30)
    ]
    assert said == ["0 B", "640 B", "25 KB", "1,5 MB", "5 GB"]


def test_minutes_are_rounded_up() -> None:
    assert shown(lambda: dates.minutes(61)) == "2 menit"
    assert shown(lambda: dates.minutes(3_700)) == "1 jam 2 menit"


def test_a_language_that_has_no_forms_of_its_own_has_indonesian_ones() -> None:
    assert languages.form_of("mad") == "id", "Babel knows no Madurese"
    assert languages.form_of("jv") == "jv"
    assert shown(lambda: dates.number(1234.5), lang="jv") == "1.234,5"
    assert shown(lambda: dates.day("2026-10-15"), lang="jv") == "15 Oktober 2026"


@pytest.mark.parametrize("lang", ["id", "en", "jv"])
@pytest.mark.parametrize("zone", ["WIB", "WITA", "WIT"])
def test_every_language_names_the_zone(lang: str, zone: str) -> None:
    assert shown(lambda: dates.moment(OCTOBER_15_0705_UTC), lang, zone).endswith(f" {zone}")


def test_a_command_says_moments_in_indonesian_and_in_the_zone_it_is_given() -> None:
    assert dates.moment_in(OCTOBER_15_0705_UTC, "WIT") == "15 Oktober 2026 pukul 16.05 WIT"


def test_a_command_that_speaks_english_says_moments_in_english() -> None:
    """In a process of its own: a command's language is the process's."""
    code = (
        f"import gettext; gettext.bindtextdomain('lontar', {str(languages.TRANSLATIONS)!r})\n"
        "gettext.textdomain('lontar')\n"
        f"from web.dates import moment_in; print(moment_in({OCTOBER_15_0705_UTC}, 'WITA'))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "LANGUAGE": "en"}
    )
    assert said.stdout.strip() == "15 October 2026, 15:05 WITA", said.stderr

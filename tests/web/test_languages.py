"""Languages: what one lacks is said in Indonesian, catalogues fit the code, and a new one is a folder and a line."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from flask import Flask
from test_web_security import made_app

from web import catalogue, languages
from web.app import prepare
from web.dates import number
from web.languages import ALL, NAMES, SOURCE, gettext

TRANSLATED = "Kembali"
NOT_YET = "Formulir ini sudah tidak berlaku"


def said(text: str, lang: str, app: Flask | None = None) -> str:
    with (app or made_app()).test_request_context(f"/?lang={lang}"):
        return gettext(text)


def test_what_a_draft_lacks_is_said_in_indonesian() -> None:
    assert said(TRANSLATED, "jv") == "Wangsul"
    assert said(NOT_YET, "jv") == NOT_YET
    assert said(NOT_YET, "en") != NOT_YET


def test_every_language_is_offered_by_its_own_name_and_kept() -> None:
    client = made_app().test_client()
    page = client.get("/tidak-ada").text
    for code, name in NAMES.items():
        assert name in page
        client.get(f"/bahasa/{code}")
        assert f'<html lang="{code}"' in client.get("/tidak-ada").text
    assert "Basa Jawa (draf)" in page


def test_a_language_that_babel_doesn_t_know_is_one_folder_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(languages.TRANSLATIONS, tmp_path / "translations")
    folder = tmp_path / "translations" / "mad" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    madurese = Catalog(locale="mad")
    madurese.add(TRANSLATED, "Abali")
    (folder / "lontar.mo").write_bytes(catalogue.compiled(madurese))
    monkeypatch.setattr(languages, "TRANSLATIONS", tmp_path / "translations")
    app = Flask("tests.web")
    app.config.from_mapping(SECRET_KEY="k")
    prepare(app, languages=(*ALL, "mad"))
    assert said(TRANSLATED, "mad", app) == "Abali"
    assert said(NOT_YET, "mad", app) == NOT_YET
    with app.test_request_context("/?lang=mad"):
        assert number(1234.5) == "1.234,5"
    assert app.test_client().get("/tidak-ada?lang=mad").status_code == 404


def marked_texts() -> set[str]:
    """What stands in `_()`, `gettext()` and `N_()` anywhere in Python, as Python itself reads it."""
    return {
        call.args[0].value
        for package in catalogue.PACKAGES
        for path in (catalogue.ROOT / package).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in catalogue.KEYWORDS
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_every_marked_text_reaches_the_translators() -> None:
    """The extractor doesn't look into f-strings."""
    assert marked_texts() - {message.id for message in catalogue.extracted()} == set()


def test_every_folder_is_a_language_that_is_offered() -> None:
    assert set(catalogue.locales()) == set(ALL) - {SOURCE}


@pytest.mark.parametrize("locale", catalogue.locales())
def test_a_translation_fills_in_what_its_text_fills_in(locale: str) -> None:
    with catalogue.catalogue_path(locale).open("rb") as file:
        said = read_po(file, locale=locale)
    places = re.compile(r"%\((\w+)\)[sd]")
    for message in said:
        if message.id and message.string:
            assert set(places.findall(str(message.string))) == set(places.findall(str(message.id))), (
                message.id
            )
            assert not re.search(r"%\((\w+)\)(?![sd])", str(message.string)), message.id


@pytest.mark.parametrize("locale", sorted(set(catalogue.locales()) - {"en"}))
def test_a_language_that_isn_t_complete_is_marked_as_a_draft_and_up_to_date(locale: str) -> None:
    path, current = catalogue.catalogue_path(locale), catalogue.updated(locale)
    assert path.read_bytes() == catalogue.written(current), "run: make texts"
    assert path.with_suffix(".mo").read_bytes() == catalogue.compiled(current), "run: make texts"
    assert not catalogue.missing(current) or (
        "(draf)" in NAMES[locale] and "DRAF" in current.header_comment
    )


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"LONTAR_LANG": "en"}, "learning"),
        ({"LANGUAGE": "en_GB:id"}, "learning"),
        ({"LANGUAGE": "jv:en"}, "belajar"),
        ({"LANGUAGE": "id:en"}, "belajar"),
        ({"LANGUAGE": "fr:en"}, "learning"),
        ({"LANG": "C.UTF-8"}, "belajar"),
        ({"LANG": "en_US.UTF-8"}, "learning"),
        ({"LONTAR_LANG": "id", "LANGUAGE": "en"}, "belajar"),
    ],
)
def test_a_command_that_lacks_a_translation_speaks_indonesian(wanted: dict[str, str], said: str) -> None:
    told_elsewhere = ("LANGUAGE", "LONTAR_LANG", "LC_ALL", "LC_MESSAGES")
    plain = {name: value for name, value in os.environ.items() if name not in told_elsewhere}
    told = subprocess.run(
        [sys.executable, "-m", "lontar", "--help"],
        cwd=catalogue.ROOT,
        env={**plain, "LANG": "C.UTF-8", **wanted},
        capture_output=True,
        text=True,
    )
    assert said in told.stdout, told.stdout + told.stderr

"""Which language a page speaks: `?lang=`, then the cookie `lang`, then Indonesian.

Indonesian is the source language of all texts, so it needs no catalogue; the others live in
`web/translations`, domain `lontar`. What a language hasn't translated yet is said in Indonesian. Choosing a
language is a link, not a form: it changes only how this browser's pages look. See docs/terjemahan.md.
"""

from __future__ import annotations

import gettext as commands
from collections.abc import Callable
from email.parser import HeaderParser
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from babel.localedata import exists, load
from babel.support import NullTranslations, Translations
from flask import Blueprint, Flask, abort, current_app, has_request_context, redirect, request
from flask_babel import Babel, Domain, get_domain  # type: ignore[import-untyped, unused-ignore]
from flask_babel import gettext as _untyped_gettext
from werkzeug.wrappers import Response

NAMES: Final = {
    "id": "Bahasa Indonesia",
    "en": "English",
    "jv": "Basa Jawa (draf)",
}
"""Every language with a folder in `web/translations`, by its own name; a new one is one line here."""
ALL: Final = tuple(NAMES)
SOURCE: Final = ALL[0]
COOKIE: Final = "lang"
COOKIE_SECONDS: Final = 365 * 24 * 3600
TRANSLATIONS: Final = Path(__file__).parent / "translations"
DOMAIN: Final = "lontar"
_UNSAID: Final = frozenset(
    (
        "compact_currency_formats",
        "compound_unit_patterns",
        "currency_names",
        "currency_names_plural",
        "currency_symbols",
        "currency_unit_patterns",
        "interval_formats",
        "languages",
        "list_patterns",
        "measurement_systems",
        "meta_zones",
        "scripts",
        "territories",
        "time_zones",
        "unit_display_names",
        "unit_patterns",
        "variants",
    )
)
_HEADER: Final = ""
"""The id under which a catalogue keeps its own header."""

blueprint = Blueprint("languages", __name__)


def gettext(text: str, **details: object) -> str:
    """`text` in the language of the page, with its `%(name)s` places filled in."""
    return str(_untyped_gettext(text, **details))


def translator() -> Callable[[str], str]:
    """What `gettext` does on this page, for what is written after its request has ended."""
    found: NullTranslations = get_domain().get_translations()
    return found.gettext


def prepare(app: Flask, choice: tuple[str, ...]) -> None:
    """Let `app` speak the languages of `choice`; the first one is spoken when nobody chose."""
    app.config["LANGUAGES"] = choice
    _forget_what_no_page_says()
    babel = Babel(
        app,
        default_locale=form_of(choice[0]),
        default_domain=DOMAIN,
        locale_selector=lambda: form_of(chosen()),
    )
    babel.domain_instance = _Catalogues(domain=DOMAIN)
    app.register_blueprint(blueprint)
    app.context_processor(
        lambda: {
            "language": spoken(),
            "languages": {code: NAMES.get(code, code) for code in choice},
            "here": here,
        }
    )


def chosen() -> str:
    """The language that this request asks for."""
    choice: tuple[str, ...] = current_app.config["LANGUAGES"]
    for code in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if code in choice:
            return str(code)
    return choice[0]


def spoken() -> str:
    """The language of the page that is being made; of the command, where there is no page."""
    return chosen() if has_request_context() else spoken_by_command()


def spoken_by_command() -> str:
    """The language of the texts that a command says: what the header of its catalogue names."""
    return HeaderParser().parsestr(commands.gettext(_HEADER)).get("Language") or SOURCE


def form_of(language: str) -> str:
    """Whose dates and numbers a language uses: its own, or Indonesian ones where Babel doesn't know it."""
    return language if exists(language) else SOURCE


def _forget_what_no_page_says() -> None:
    """Let go of most of what Babel knows: pages say dates and numbers, no names of units, languages and currencies.

    Babel keeps what it has read as long as the process lives, 3.8 MB for Indonesian; what is let go of before the
    first page is drawn is memory for that page. `load` answers with the very dictionaries that Babel keeps.
    """
    for name in ("root", SOURCE):
        kept = load(name)
        for unsaid in _UNSAID & kept.keys():
            del kept[unsaid]


def here() -> str:
    """Where to go back to after choosing a language: this page, or home if it was made for a form."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


@blueprint.get("/bahasa/<code>")
def choose(code: str) -> Response:
    if code not in current_app.config["LANGUAGES"]:
        abort(404)
    response = redirect(safe_path(request.args.get("next")))
    response.set_cookie(
        COOKIE,
        code,
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="Strict",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return response


def safe_path(path: str | None) -> str:
    """`path` if it is a place on this site, else the front page."""
    if (
        not path
        or not path.startswith("/")
        or path.startswith("//")
        or not path.isprintable()
        or "\\" in path
    ):
        return "/"
    parts = urlsplit(path)
    return "/" if parts.scheme or parts.netloc else path


class _Catalogues(Domain):  # type: ignore[misc, unused-ignore]
    """The texts by language, whether or not Babel has forms for it; each catalogue is read once."""

    def get_translations(self) -> NullTranslations:
        language = spoken()
        if language not in self.cache:
            self.cache[language] = Translations.load(TRANSLATIONS, [language], DOMAIN)
        found: NullTranslations = self.cache[language]
        return found

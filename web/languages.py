"""Which language a page speaks: `?lang=`, then the cookie `lang`, then Indonesian.

Indonesian is the source language of all texts, so it needs no catalogue; the others live in
`web/translations`, domain `lontar`. Choosing a language is a link, not a form: it changes only how this
browser's pages look.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, current_app, redirect, request
from flask_babel import (  # type: ignore[import-untyped, unused-ignore]
    Babel,
    get_locale,
)
from flask_babel import gettext as _untyped_gettext
from werkzeug.wrappers import Response

ALL: Final = ("id", "en")
NAMES: Final = {"id": "Bahasa Indonesia", "en": "English"}
COOKIE: Final = "lang"
COOKIE_SECONDS: Final = 365 * 24 * 3600
TRANSLATIONS: Final = Path(__file__).parent / "translations"

blueprint = Blueprint("languages", __name__)


def gettext(text: str, **details: object) -> str:
    """`text` in the language of the page, with its `%(name)s` places filled in."""
    return str(_untyped_gettext(text, **details))


def prepare(app: Flask, choice: tuple[str, ...]) -> None:
    """Let `app` speak the languages of `choice`; the first one is spoken when nobody chose."""
    app.config["LANGUAGES"] = choice
    Babel(
        app,
        default_locale=choice[0],
        default_domain="lontar",
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=chosen,
    )
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
    """The language of the page that is being made."""
    return str(get_locale() or ALL[0])


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

"""`prepare` gives a Flask application what all our pages have in common.

After it the application speaks Indonesian and English, refuses forged forms and foreign host names, sends
the security headers, explains its errors in plain words and serves the shared style under `/web/`.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, current_app, url_for
from markupsafe import Markup

from web import dates, looks, problems, security
from web import languages as language_choice


def prepare(app: Flask, *, languages: tuple[str, ...] = language_choice.ALL) -> None:
    """Set up everything that the pages of both applications share, before the first request."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.register_blueprint(
        Blueprint("web", __name__, url_prefix="/web", static_folder="static", template_folder="templates")
    )
    security.prepare(app)
    language_choice.prepare(app, languages)
    looks.prepare(app)
    problems.prepare(app)
    dates.prepare(app)
    app.jinja_env.globals.update(asset=asset, refreshing=refreshing)


def asset(endpoint: str, filename: str) -> str:
    """The address of a static file with its version, so that browsers may keep it for good."""
    name = endpoint.rpartition(".")[0]
    owner = current_app.blueprints[name] if name else current_app
    return url_for(endpoint, filename=filename, v=_version(Path(owner.static_folder or "") / filename))


def refreshing(seconds: int) -> Markup:
    """For the head of a page that waits for something: it is brought up to date by itself."""
    return Markup(
        '<noscript><meta http-equiv="refresh" content="{0}"></noscript>'
        '<meta name="lontar-refresh" content="{0}"><script src="{1}" defer></script>'
    ).format(seconds, asset("web.static", "refresh.js"))


@cache
def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]

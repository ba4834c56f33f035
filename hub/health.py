"""Whether this hub lives and is ready, and how it does, for what watches over it: `/sehat`, `/siap`, `/metrik`.

In front of the pages, so that no host name, log-in or session is asked for. The figures are for whoever names the
token of the settings; without a token in the settings there is no such address.
"""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from hub import db, metrics
from hub.config import Config
from hub.errors import BusyError

ALIVE: Final = "/sehat"
READY: Final = "/siap"
FIGURES: Final = "/metrik"
PATHS: Final = frozenset({ALIVE, READY, FIGURES})

_UNREACHABLE: Final = "Basis data tidak dapat dihubungi."
_OLD: Final = "Basis data belum sesuai versi perangkat lunak ini. Jalankan: lontar hub upgrade"
_BEARER: Final = "Bearer "


def answer(engine: Engine, config: Config, environ: dict[str, Any], now_ms: int) -> Response:
    """The answer to a request for one of `PATHS`."""
    if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
        return _text(HTTPStatus.METHOD_NOT_ALLOWED, "GET")
    path = environ["PATH_INFO"]
    if path == ALIVE:
        return _text(HTTPStatus.OK, "hidup")
    if path == READY:
        problem = why_not_ready(engine)
        return _text(HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK, problem or "siap")
    return _figures(engine, config, environ, now_ms)


def why_not_ready(engine: Engine) -> str | None:
    """One sentence about what keeps this hub from answering, or None."""
    try:
        with db.reading(engine) as connection:
            found = db.revision(connection)
    except (BusyError, SQLAlchemyError):
        return _UNREACHABLE
    return None if found == db.own_revision() else _OLD


def _figures(engine: Engine, config: Config, environ: dict[str, Any], now_ms: int) -> Response:
    if not config.metrics_token:
        return _text(HTTPStatus.NOT_FOUND, "Angka tidak dibuka: metrics_token belum diisi.")
    told = environ.get("HTTP_AUTHORIZATION", "")
    if not hmac.compare_digest(told.encode("latin-1"), f"{_BEARER}{config.metrics_token}".encode()):
        refused = _text(HTTPStatus.UNAUTHORIZED, "Sebutkan token yang benar.")
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused
    try:
        with db.reading(engine) as connection:
            shown = metrics.as_text(metrics.figures(connection, now_ms))
    except BusyError:
        return _text(HTTPStatus.SERVICE_UNAVAILABLE, _UNREACHABLE)
    return _text(HTTPStatus.OK, shown, metrics.MEDIA_TYPE)


def _text(status: HTTPStatus, text: str, media_type: str = "text/plain; charset=utf-8") -> Response:
    response = Response(text.rstrip("\n") + "\n", status, content_type=media_type)
    response.headers["Cache-Control"] = "no-store"
    return response

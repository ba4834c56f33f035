"""`create_api` makes the read API out of an opened hub: a small application beside the pages, without cookies or forms.

Every question needs a token (`hub.tokens`), is counted, and is answered from a connection in which the database shows
only the token's region (`hub.seeing`). Other sites' scripts get nothing: no CORS header is ever sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from flask import Flask, Response, request
from sqlalchemy import Connection

from hub import tokens
from hub.api import description, problems, questions
from hub.api.answers import Asker
from hub.api.operations import LISTINGS, SINGLES, Listing, Single
from hub.errors import NotFoundError
from hub.seeing import seeing
from hub.tokens import Token
from hub.wiring import Hub
from sync.errors import N_
from web import security

PATH: Final = "/api/v1"
_TOKEN: Final = re.compile(rf"bearer +({tokens.PREFIX}[0-9a-f]{{48}})", re.IGNORECASE)
_ID: Final = re.compile(r"[0-9a-f]{32}")


def create_api(hub: Hub, a_minute: int = tokens.A_MINUTE) -> Flask:
    """The application under `PATH`; one token may ask `a_minute` times in a minute. The hub stays the caller's."""
    app = Flask(__name__, static_folder=None)
    app.config["ALLOWED_HOSTS"] = tuple(os.environ.get("LONTAR_HUB_HOSTS", "").split())
    app.before_request(security.refuse_foreign_hosts)
    app.after_request(_add_headers)
    problems.prepare(app)
    app.add_url_rule("/openapi.json", "description", _describe)
    for listing in LISTINGS:
        app.add_url_rule(f"/{listing.name}", listing.name, _list(hub, a_minute, listing))
    for single in SINGLES:
        view = _single(hub, a_minute, single)
        app.add_url_rule(f"/{single.name}/<number>", f"{single.name}.one", view)
    return app


def _list(hub: Hub, a_minute: int, listing: Listing) -> Callable[[], Response]:
    def view() -> Response:
        def read(connection: Connection, asker: Asker) -> Any:
            asked = questions.read(request.args.to_dict(flat=False), listing.question)
            return listing.read(connection, asker, asked)

        return _answered(hub, a_minute, read)

    return view


def _single(hub: Hub, a_minute: int, single: Single) -> Callable[[str], Response]:
    def view(number: str) -> Response:
        def read(connection: Connection, asker: Asker) -> Any:
            for name in request.args:
                raise questions.unknown(name)
            if not _ID.fullmatch(number):
                raise NotFoundError(N_("Nomor terdiri dari 32 angka heksadesimal."))
            return single.read(connection, asker, bytes.fromhex(number))

        return _answered(hub, a_minute, read)

    return view


def _answered(hub: Hub, a_minute: int, read: Callable[[Connection, Asker], Any]) -> Response:
    now_ms = hub.intake.now_ms()
    found = _TOKEN.fullmatch(request.headers.get("Authorization", "").strip())
    asked = tokens.ask(hub.engine, found[1], now_ms, a_minute) if found else None
    if asked is None:
        refused = problems.answer(401)
        refused.headers["WWW-Authenticate"] = 'Bearer realm="Lontar"'
        return refused
    if asked.wait_s:
        refused = problems.answer(429)
        refused.headers["Retry-After"] = str(asked.wait_s)
        return refused
    return _sent(msgspec.json.encode(_read(hub, asked.token, now_ms, read)), "private, no-cache")


def _read(hub: Hub, token: Token, now_ms: int, read: Callable[[Connection, Asker], Any]) -> Any:
    with seeing(hub.reader, token.standing) as connection:
        return read(connection, Asker(token, now_ms))


def _describe() -> Response:
    """Open to everyone: it says what could be asked, and nothing of what is here."""
    described = description.made(problems.translated)
    sent = _sent(msgspec.json.encode(described), "public, max-age=3600")
    sent.vary.add("Accept-Language")
    return sent


def _sent(body: bytes, caching: str) -> Response:
    """An answer with its ETag; nothing but that if the asker holds the same already."""
    sent = Response(body, content_type="application/json")
    sent.headers["Cache-Control"] = caching
    sent.add_etag()
    sent.make_conditional(request)
    return sent


def _add_headers(sent: Response) -> Response:
    security.add_headers(sent)
    sent.vary.add("Authorization")
    return sent

"""Takes back what activities may do to the pages' cookies. See docs/decisions/0013-players.md.

Browsers share cookies between the ports of a host, so an activity can't read ours but can set others of its own, for years. The
session is found among them by its signature (`sittings.UndatedSessions`); here those that stand in its way or that are so many
that they slow every request are deleted. Other programs on this host have cookies too, which are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flask import Flask, Response, current_app, request

from web import languages, looks

HEADER_MOST: Final = 16 * 1024
"""Bytes of cookies that programs have; more are an attack."""
_OURS: Final = "lontar_"
_KEPT: Final = (languages.COOKIE, looks.COOKIE)
_DELETED_MOST: Final = 400
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_EXPIRED: Final = "Thu, 01 Jan 1970 00:00:00 GMT"


def prepare(app: Flask) -> None:
    """Let `app` answer with what deletes such cookies."""
    app.after_request(delete_strangers)


def delete_strangers(response: Response) -> Response:
    for name, path in list(_strangers())[:_DELETED_MOST]:
        response.headers.add("Set-Cookie", f"{name}=; Path={path}; Expires={_EXPIRED}; Max-Age=0")
    return response


def _strangers() -> Iterator[tuple[str, str]]:
    """(name, path) of cookies to delete. Browsers don't say a cookie's path, so all that fit are named."""
    own = current_app.config["SESSION_COOKIE_NAME"]
    for name in (own, *_KEPT):
        if len(request.cookies.getlist(name)) > 1:
            # Ours stands at the root, and is the only one that no script can set there.
            yield from ((name, path) for path in _paths() if path != "/")
    if len(request.headers.get("Cookie", "")) > HEADER_MOST:
        for name in request.cookies:
            if name not in _KEPT and not name.startswith(_OURS) and _is_plain(name):
                yield from ((name, path) for path in _paths())


def _paths() -> Iterator[str]:
    """Every path of a cookie that comes with this request."""
    yield "/"
    parts = [part for part in request.path.split("/") if part]
    for count in range(1, len(parts) + 1):
        path = "/" + "/".join(parts[:count])
        if ";" not in path and path.isascii() and path.isprintable():
            yield from (path, f"{path}/")


def _is_plain(name: str) -> bool:
    """Whether a name can stand in our answer; RFC 6265, section 4.1.1."""
    return _NAME.fullmatch(name) is not None

"""Which forms may be larger than others, and for whom. Everything else keeps the usual limit (see `web.security`)."""

from __future__ import annotations

from typing import Final

from flask import Flask, request

from node.desk import is_operator

TABLE_MOST: Final = 1024 * 1024
"""A list of learners as a file."""
PHOTO_MOST: Final = 12 * 1024 * 1024
"""A photo as a phone makes it."""
_FOR_EVERYBODY: Final = {"checks.check": PHOTO_MOST}
_FOR_OPERATORS: Final = {"many_learners.preview": TABLE_MOST}


def prepare(app: Flask) -> None:
    """Comes before everything that reads forms."""
    app.before_request(_allow_more)


def _allow_more() -> None:
    endpoint = request.endpoint or ""
    if request.method != "POST":
        return
    if endpoint in _FOR_EVERYBODY:
        request.max_content_length = _FOR_EVERYBODY[endpoint]
    elif endpoint in _FOR_OPERATORS and is_operator():
        request.max_content_length = _FOR_OPERATORS[endpoint]

"""A file that a browser may ask for in parts: films are read from where their viewer is."""

from __future__ import annotations

from typing import IO, Final, cast

from flask import Response, request
from werkzeug.wsgi import FileWrapper

PDF: Final = "application/pdf"
_OF_PICTURES: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_OF_DOCUMENTS: Final = "frame-ancestors 'none'"
"""Chrome before 84 and Safari don't start their own reader of PDFs in a sandbox; what it shows is no page of this site."""


def in_parts(file: object, media_type: str, size: int) -> Response:
    """An answer of `size` bytes, or of the part that was asked for; `file` can be read from any place."""
    response = Response(
        FileWrapper(cast("IO[bytes]", file)), content_type=media_type, direct_passthrough=True
    )
    response.content_length = size
    response.make_conditional(request, accept_ranges=True, complete_length=size)
    return response


def shown(file: object, media_type: str, size: int) -> Response:
    """As `in_parts`, for what a lesson shows: an SVG that somebody opens as a page of its own runs nothing."""
    response = in_parts(file, media_type, size)
    response.headers["Content-Security-Policy"] = _OF_DOCUMENTS if media_type == PDF else _OF_PICTURES
    return response

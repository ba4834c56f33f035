"""A file that a page makes and the browser keeps."""

from __future__ import annotations

from flask import Response


def kept(data: bytes, media_type: str, name: str) -> Response:
    """`data` to be saved as `name`."""
    response = Response(data, content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response

"""Packs as plain files under `/packs/`, for villages, couriers and neighbours: ranges, and caching for ever.

Names are hashes, so a file never changes and needs no session. nginx or an object store may serve the same folder instead
(`packs/` in the hub's data folder); this is what a small hub, or a village's laptop, does without one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from werkzeug.exceptions import HTTPException
from werkzeug.utils import send_from_directory
from werkzeug.wrappers import Response

from content_packs.transfer import ADDRESS

_FILE: Final = re.compile(r"[0-9a-f]{64}\.cose|pieces/[0-9a-f]{2}/[0-9a-f]{64}")
_A_YEAR_S: Final = 365 * 24 * 3600


def is_pack_file(path: str) -> bool:
    return path.startswith(ADDRESS)


def serve(folder: Path, environ: dict[str, Any]) -> Response:
    """A manifest or a piece of the store in `folder`, or a part of it."""
    name = environ["PATH_INFO"].removeprefix(ADDRESS)
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or not _FILE.fullmatch(name):
        return Response(status=404)
    try:
        response = send_from_directory(
            folder.absolute(), name, environ, mimetype="application/octet-stream", etag=False
        )
    except HTTPException as problem:
        # Not there, or a part that no file has.
        return Response(status=problem.code)
    response.headers["Cache-Control"] = f"public, max-age={_A_YEAR_S}, immutable"
    return response

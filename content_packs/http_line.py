"""The line to a hub's packs over HTTP: GET with a range, so that what was cut off goes on where it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import urllib3

from content_packs.transfer import ADDRESS
from sync.errors import N_, LontarError, NotAHubError, UnreachableError
from sync.post import GREETING, road

_STEP: Final = 4096
"""So many bytes are on the disk before the next are read: what a break can cost."""


class HttpLine:
    """One hub's packs; a connection is kept for all of them."""

    def __init__(self, hub_url: str) -> None:
        self._url = hub_url.rstrip("/") + ADDRESS
        self._road = road()

    def read(self, path: str, start: int) -> Iterator[bytes]:
        """The bytes of a file from `start` on.

        Raises:
            UnreachableError: the line broke, or there is none.
            NotAHubError: whoever answers has no such file.
        """
        try:
            with self._road.request(
                "GET",
                self._url + path,
                headers={**GREETING, "Range": f"bytes={start}-"} if start else None,
                redirect=False,
                preload_content=False,
            ) as response:
                yield from self._body(response, start)
        except (urllib3.exceptions.HTTPError, OSError) as problem:
            raise self._unreachable() from problem

    def _body(self, response: urllib3.BaseHTTPResponse, start: int) -> Iterator[bytes]:
        if response.status in (502, 503, 504):
            raise self._unreachable()
        if response.status not in (200, 206):
            raise NotAHubError(
                N_("Pusat di %(url)s tidak memiliki pelatihan ini (jawaban %(status)s). Coba lagi nanti."),
                url=self._url,
                status=response.status,
            )
        left = int(response.headers.get("Content-Length") or 0)
        # A server that knows no ranges sends all of it again.
        skip = start if response.status == 200 else 0
        while data := response.read(_STEP, decode_content=False):
            left -= len(data)
            fresh, skip = data[skip:], max(0, skip - len(data))
            if fresh:
                yield fresh
        if left > 0:
            raise self._unreachable()

    def _unreachable(self) -> LontarError:
        return UnreachableError(
            N_("Pusat di %(url)s tidak terhubung. Yang sudah diunduh tetap ada; nanti dilanjutkan."),
            url=self._url,
        )

"""The line to a hub's packs over HTTP: GET with a range, so that what was cut off goes on where it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import requests

from content_packs.transfer import ADDRESS
from sync import __version__
from sync.errors import N_, LontarError, NotAHubError, UnreachableError

TIMEOUT_S: Final = (20, 60)
"""To connect, and between two bytes of an answer."""
_STEP: Final = 4096
"""So many bytes are on the disk before the next are read: what a break can cost."""


class HttpLine:
    """One hub's packs; a connection is kept for all of them."""

    def __init__(self, hub_url: str, session: requests.Session | None = None) -> None:
        self._url = hub_url.rstrip("/") + ADDRESS
        self._session = session or requests.Session()
        self._session.headers.clear()
        self._session.headers.update({"User-Agent": f"lontar/{__version__}", "Accept-Encoding": "identity"})
        self._session.trust_env = False

    def read(self, path: str, start: int) -> Iterator[bytes]:
        """The bytes of a file from `start` on.

        Raises:
            UnreachableError: the line broke, or there is none.
            NotAHubError: whoever answers has no such file.
        """
        try:
            with self._session.get(
                self._url + path,
                headers={"Range": f"bytes={start}-"} if start else {},
                timeout=TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            ) as response:
                yield from self._body(response, start)
        except (requests.exceptions.RequestException, OSError) as problem:
            raise self._unreachable() from problem
        except Exception as problem:  # urllib3 raises its own kind while a body is being read
            if type(problem).__module__.startswith(("urllib3", "http")):
                raise self._unreachable() from problem
            raise

    def _body(self, response: requests.Response, start: int) -> Iterator[bytes]:
        if response.status_code in (502, 503, 504):
            raise self._unreachable()
        if response.status_code not in (200, 206):
            raise NotAHubError(
                N_("Pusat di %(url)s tidak memiliki pelatihan ini (jawaban %(status)s). Coba lagi nanti."),
                url=self._url,
                status=response.status_code,
            )
        left = int(response.headers.get("Content-Length") or 0)
        # A server that knows no ranges sends all of it again.
        skip = start if response.status_code == 200 else 0
        while data := response.raw.read(_STEP, decode_content=False):
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

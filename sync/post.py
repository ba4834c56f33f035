"""One POST to a hub: carries bytes there and back, and turns everything that can go wrong into one sentence.

A shell around `urllib3`, for whoever speaks to a hub: a device, a courier's laptop. It follows no redirect, asks no
proxy of the environment, and reads no more of an answer than it was told to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import certifi
import urllib3
from urllib3.exceptions import LocationParseError, LocationValueError

from sync import __version__, exchange
from sync.errors import N_, ExchangeError, LontarError, NotAHubError, RefusedError, UnreachableError

CONNECT_S: Final = 20.0
READ_S: Final = 60.0
"""Between two bytes of an answer."""
_PIECE: Final = 1024
_RETRY_MOST_S: Final = 3600
"""So long a hub can ask somebody to stay away."""
GREETING: Final = {"User-Agent": f"lontar/{__version__}", "Accept-Encoding": "identity"}

Progress = Callable[[int, int], None]
"""Told (bytes sent, bytes to send) while a request goes out."""


def road() -> urllib3.PoolManager:
    """Connections to hubs: no proxy of the environment, no second try, no redirect, and a short greeting."""
    return urllib3.PoolManager(
        # A village's laptop needs no compression of 200 bytes and no long greeting at 4 KB/s.
        headers=GREETING,
        timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S),
        retries=False,
        ca_certs=certifi.where(),
    )


class Post:
    """The road to one hub."""

    def __init__(self, hub_url: str) -> None:
        self._url = hub_url.rstrip("/")
        self._road = road()

    def send(
        self, path: str, body: bytes, most: int, progress: Progress = lambda sent, total: None
    ) -> bytes:
        """The hub's answer, of at most `most` bytes.

        Raises:
            ExchangeError: the hub wasn't reached, refused, or isn't one.
        """
        if not self._url.lower().startswith(("http://", "https://")):
            raise _no_address(self._url)
        try:
            with self._road.request(
                "POST",
                self._url + path,
                body=_watched(body, progress),
                headers={**GREETING, "Content-Type": exchange.MEDIA_TYPE, "Content-Length": str(len(body))},
                redirect=False,
                preload_content=False,
            ) as response:
                answer = response.read(most + 1, decode_content=False)
        except (LocationValueError, LocationParseError) as problem:
            raise _no_address(self._url) from problem
        except (urllib3.exceptions.HTTPError, OSError) as problem:
            raise _unreachable(self._url) from problem
        return checked(answer, response, self._url, most)


def _watched(body: bytes, progress: Progress) -> Iterator[bytes]:
    """The body in pieces; tells how far it has gone."""
    for start in range(0, len(body), _PIECE):
        piece = body[start : start + _PIECE]
        yield piece
        progress(start + len(piece), len(body))


def checked(answer: bytes, response: urllib3.BaseHTTPResponse, url: str, most: int) -> bytes:
    """What came back, if it is the whole answer of a hub that agrees.

    Raises:
        ExchangeError: it isn't, as for `Post.send`.
    """
    is_ours = response.headers.get("Content-Type") == exchange.MEDIA_TYPE
    if not is_ours or len(answer) > most:
        if response.status in (502, 503, 504):
            raise _unreachable(url)
        raise NotAHubError(
            N_(
                "Yang menjawab di %(url)s bukan pusat Lontar (jawaban %(status)s). Periksa alamat pusat, atau masuk dulu ke jaringan Wi-Fi ini."
            ),
            url=url,
            status=response.status,
        )
    if len(answer) < int(response.headers.get("Content-Length") or 0):
        raise _unreachable(url)
    if response.status == 200:
        return answer
    raise _refusal(answer, response.headers.get("Retry-After", ""))


def _refusal(answer: bytes, retry_after: str) -> LontarError:
    match exchange.read_refusal(answer):
        case (code, text):
            error = RefusedError(
                N_("Pusat menolak: %(reason)s Pekerjaan tetap aman di perangkat ini."), reason=text
            )
            error.details["code"] = code
            if retry_after.isascii() and retry_after.isdecimal():
                error.details["retry_after_s"] = min(int(retry_after[:6]), _RETRY_MOST_S)
            return error
    return NotAHubError(N_("Jawaban pusat tidak dapat dibaca."))


def _no_address(url: str) -> ExchangeError:
    return NotAHubError(
        N_("Alamat pusat %(url)s tidak sah. Alamat yang benar diawali http:// atau https://."), url=url
    )


def _unreachable(url: str) -> ExchangeError:
    return UnreachableError(
        N_(
            "Pusat %(url)s tidak dapat dihubungi. Pekerjaan aman di perangkat ini; coba lagi saat ada sinyal."
        ),
        url=url,
    )

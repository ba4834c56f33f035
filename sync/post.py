"""One POST to a hub: carries bytes there and back, and turns everything that can go wrong into one sentence.

A shell around `requests`, for whoever speaks to a hub: a device, a courier's laptop. It follows no redirect, asks no
proxy of the environment, and reads no more of an answer than it was told to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import requests

from sync import __version__, exchange
from sync.errors import N_, ExchangeError, LontarError, NotAHubError, RefusedError, UnreachableError

TIMEOUT_S: Final = (20, 60)
"""To connect, and between two bytes of an answer."""

Progress = Callable[[int, int], None]
"""Told (bytes sent, bytes to send) while a request goes out."""


class Post:
    """The road to one hub."""

    def __init__(self, hub_url: str, session: requests.Session | None = None) -> None:
        self._url = hub_url.rstrip("/")
        self._session = session or requests.Session()
        # A village's laptop needs no compression of 200 bytes and no long greeting at 4 KB/s.
        self._session.headers.clear()
        self._session.headers.update({"User-Agent": f"lontar/{__version__}", "Accept-Encoding": "identity"})
        self._session.trust_env = False

    def send(
        self, path: str, body: bytes, most: int, progress: Progress = lambda sent, total: None
    ) -> bytes:
        """The hub's answer, of at most `most` bytes.

        Raises:
            ExchangeError: the hub wasn't reached, refused, or isn't one.
        """
        try:
            with self._session.post(
                self._url + path,
                data=_Watched(body, progress),
                headers={"Content-Type": exchange.MEDIA_TYPE},
                timeout=TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = response.raw.read(most + 1, decode_content=False)
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema,
        ) as problem:
            raise NotAHubError(
                N_("Alamat pusat %(url)s tidak sah. Alamat yang benar diawali http:// atau https://."),
                url=self._url,
            ) from problem
        except (requests.exceptions.RequestException, OSError) as problem:
            raise _unreachable(self._url) from problem
        except Exception as problem:  # urllib3 raises its own kind while a body is being read
            if type(problem).__module__.startswith(("urllib3", "http")):
                raise _unreachable(self._url) from problem
            raise
        return _checked(answer, response, self._url, most)


class _Watched:
    """A body that tells how far it has been read; `requests` sends it with its length."""

    def __init__(self, body: bytes, progress: Progress) -> None:
        self._body = body
        self._at = 0
        self._progress = progress

    def __len__(self) -> int:
        return len(self._body)

    def read(self, size: int = -1) -> bytes:
        step = 1024 if size < 0 else min(size, 1024)
        piece = self._body[self._at : self._at + step]
        self._at += len(piece)
        self._progress(self._at, len(self._body))
        return piece


def _checked(answer: bytes, response: requests.Response, url: str, most: int) -> bytes:
    is_ours = response.headers.get("Content-Type") == exchange.MEDIA_TYPE
    if not is_ours or len(answer) > most:
        if response.status_code in (502, 503, 504):
            raise _unreachable(url)
        raise NotAHubError(
            N_(
                "Yang menjawab di %(url)s bukan pusat Lontar (jawaban %(status)s). Periksa alamat pusat, atau masuk dulu ke jaringan Wi-Fi ini."
            ),
            url=url,
            status=response.status_code,
        )
    if len(answer) < int(response.headers.get("Content-Length") or 0):
        raise _unreachable(url)
    if response.status_code == 200:
        return answer
    raise _refusal(answer)


def _refusal(answer: bytes) -> LontarError:
    match exchange.read_refusal(answer):
        case (code, text):
            error = RefusedError(
                N_("Pusat menolak: %(reason)s Pekerjaan tetap aman di perangkat ini."), reason=text
            )
            error.details["code"] = code
            return error
    return NotAHubError(N_("Jawaban pusat tidak dapat dibaca."))


def _unreachable(url: str) -> ExchangeError:
    return UnreachableError(
        N_(
            "Pusat %(url)s tidak dapat dihubungi. Pekerjaan aman di perangkat ini; coba lagi saat ada sinyal."
        ),
        url=url,
    )

"""Errors of the read API as problem details (RFC 9457), in Indonesian or English as Accept-Language asks."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import Final

import msgspec
from babel.support import NullTranslations, Translations
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from hub.api.shapes import Problem
from sync.errors import N_, LontarError
from web.languages import DOMAIN, SOURCE, TRANSLATIONS
from web.security import WRONG_HOST

MEDIA_TYPE: Final = "application/problem+json"
PAGE: Final = "/api"
"""Where each kind of problem is explained."""
_LANGUAGES: Final = (SOURCE, "en")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its name in addresses, and two texts (gettext message ids)."""

    name: str
    title: str
    detail: str


KINDS: Final = {
    400: Kind(
        "bad-request", N_("Permintaan tidak dipahami"), N_("Permintaan ini tidak dapat dibaca pusat.")
    ),
    401: Kind(
        "no-token",
        N_("Kunci API diperlukan"),
        N_('Kirim kunci yang masih berlaku: "Authorization: Bearer lontar_…". Kunci dibuat di /kunci-api.'),
    ),
    403: Kind(
        "outside-scope",
        N_("Di luar wilayah kunci ini"),
        N_("Wilayah yang diminta di luar wilayah kunci ini."),
    ),
    404: Kind("not-found", N_("Tidak ditemukan"), N_("Yang diminta tidak ada di sini.")),
    405: Kind("read-only", N_("Hanya untuk membaca"), N_("API ini hanya menerima GET dan HEAD.")),
    422: Kind(
        "bad-question",
        N_("Pertanyaan tidak dapat dijawab"),
        N_("Sebuah parameter tidak dikenal, atau nilainya tidak dapat dipakai."),
    ),
    429: Kind(
        "too-many",
        N_("Terlalu sering bertanya"),
        N_("Tunggu sebanyak detik yang ditulis di Retry-After, lalu coba lagi."),
    ),
    500: Kind(
        "failed",
        N_("Terjadi kesalahan"),
        N_("Ada yang tidak berjalan sebagaimana mestinya di pusat. Coba lagi nanti."),
    ),
    503: Kind(
        "busy", N_("Pusat sedang sibuk"), N_("Basis data sedang tidak dapat dicapai. Coba lagi nanti.")
    ),
}
"""What can go wrong, by status."""
_RETRY_S: Final = 5


def prepare(app: Flask) -> None:
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(LontarError, _of_ours)
    app.register_error_handler(Exception, _unforeseen)


def answer(status: int, text: str = "", **details: object) -> Response:
    """A problem as it is sent; `text` says more than the kind's own sentence does."""
    kind = KINDS[status]
    detail = translated(text or kind.detail)
    problem = Problem(
        type=f"{PAGE}#{kind.name}",
        title=translated(kind.title),
        status=status,
        detail=detail % details if details else detail,
    )
    sent = Response(msgspec.json.encode(problem), status, content_type=MEDIA_TYPE)
    sent.headers["Content-Language"] = language()
    sent.vary.add("Accept-Language")
    return sent


def language() -> str:
    """The one of ours that whoever asks likes best; en-GB is English too."""
    liked = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    return next((tag for tag in liked if tag in _LANGUAGES), SOURCE)


def translated(text: str) -> str:
    return str(_catalogue(language()).gettext(text))


@cache
def _catalogue(spoken: str) -> NullTranslations:
    return Translations.load(TRANSLATIONS, [spoken], DOMAIN)


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    known = status if status in KINDS else 500 if status >= 500 else 400
    sent = answer(known, WRONG_HOST if error.description == WRONG_HOST else "")
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            sent.headers[name] = value
    return sent


def _of_ours(error: LontarError) -> Response:
    status = error.http_status if error.http_status in KINDS else 400
    sent = answer(status, error.text, **error.details)
    if status == 503:
        sent.headers["Retry-After"] = str(_RETRY_S)
    return sent


def _unforeseen(error: Exception) -> Response:
    log.exception("%s", request.path, exc_info=error)
    return answer(500)

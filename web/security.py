"""What every page refuses and every answer says: forged forms, foreign hosts, large forms, other frames.

CSRF tokens come from Flask-WTF and have no time limit, since village clocks jump; browsers' own word on
where a request comes from (Sec-Fetch-Site, Origin) is checked too. An interface for machines exempts itself
with `app.extensions["csrf"].exempt(blueprint)`. Source: OWASP ASVS 5.0, V3.
"""

from __future__ import annotations

import ipaddress
import socket
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from sync.errors import N_

FORM_LIMIT: Final = 64 * 1024
_FIELD_MOST: Final = 2 * FORM_LIMIT
"""Werkzeug counts what it has read of a file but not yet handed on too: up to 64 KiB, and the end of what came before."""

CONTENT_POLICY: Final = "; ".join((
    "default-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
))  # fmt: skip

HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

WRONG_HOST: Final = N_(
    "Halaman ini dibuka dengan alamat yang tidak dikenal. Buka kembali dengan alamat yang diberikan "
    "operator desa atau pengelola Anda."
)
FOREIGN_FORM: Final = N_("Formulir ini dikirim dari situs lain, jadi tidak diterima.")

_FOREVER: Final = "public, max-age=31536000, immutable"


def prepare(app: Flask) -> None:
    """Protect `app`. Its own configuration wins where it has set something already."""
    for key, value in (
        ("SESSION_COOKIE_HTTPONLY", True),
        ("SESSION_COOKIE_SAMESITE", "Strict"),
        ("MAX_CONTENT_LENGTH", FORM_LIMIT),
        ("MAX_FORM_MEMORY_SIZE", _FIELD_MOST),
    ):
        if not app.config.get(key) or key == "MAX_FORM_MEMORY_SIZE":
            app.config[key] = value
    app.config.setdefault("ALLOWED_HOSTS", ())
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    # First the host and the origin, then the token: a form from elsewhere is told so.
    app.before_request(refuse_foreign_hosts)
    app.before_request(refuse_foreign_forms)
    CSRFProtect(app)
    app.after_request(add_headers)


def refuse_foreign_hosts() -> None:
    """Against DNS rebinding: another site's name that points at this machine opens nothing."""
    if not host_is_ours(request.host, tuple(current_app.config["ALLOWED_HOSTS"])):
        abort(400, WRONG_HOST)


def host_is_ours(host: str, allowed: tuple[str, ...] = ()) -> bool:
    """`allowed` names the hosts; without it any literal address and this machine's own names are ours."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if allowed:
        return name in {entry.lower() for entry in allowed}
    return name in own_names() or _is_address(name)


@cache
def own_names() -> frozenset[str]:
    name = socket.gethostname().lower()
    return frozenset({"localhost", name, f"{name.partition('.')[0]}.local"})


def refuse_foreign_forms() -> None:
    """A browser that says where a form comes from must say that it comes from here."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403, FOREIGN_FORM)
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(403, FOREIGN_FORM)


def add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if (request.endpoint or "").endswith("static") and "v" in request.args and response.status_code == 200:
        response.headers["Cache-Control"] = _FOREVER
    else:
        # Laptops are shared: after logging out, the back button must not show the last learner's pages.
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

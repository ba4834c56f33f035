"""What the views of one hub share: the hub, who is logged in, and that nobody else sees anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Final, ParamSpec, TypeVar, cast

from flask import Flask, abort, current_app, flash, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, current_user, login_user, logout_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from hub import audit
from hub.operators import Operator
from hub.roles import Right
from hub.seeing import seeing
from hub.views.guesses import Guesses
from hub.views.sittings import Sitting, Sittings
from hub.wiring import Hub
from web.languages import gettext as _
from web.languages import here

PAGE: Final = 50
"""Rows on one page of a list."""
NUMBER: Final = "<int(max=9223372036854775807):number>"
"""A row of this hub in an address; a larger number no database takes."""

_P = ParamSpec("_P")
_R = TypeVar("_R")

_TOLD: Final = ("region", "village", "decision", "until", "role", "stage")
"""Fields of forms that say where and what; never what people wrote."""
_EXTENSION: Final = "lontar"
_OPEN: Final = {
    "enter.enter",
    "web.static",
    "languages.choose",
    "looks.show",
    "looks.choose",
    "certificates.check",
    "certificates.scanned",
    "certificates.scanned_small",
    "accounts.accept",
    "api_docs.show",
}
"""What can be opened without logging in."""


@dataclass(frozen=True)
class Desk:
    hub: Hub
    guesses: Guesses
    sittings: Sittings


class _Sessions(SecureCookieSessionInterface):
    def get_cookie_secure(self, app: Flask) -> bool:
        """Also behind a proxy that speaks TLS. Who forges its header only loses the own cookie."""
        is_behind_tls = request.headers.get("X-Forwarded-Proto", request.scheme) == "https"
        return is_behind_tls or super().get_cookie_secure(app)


def prepare(app: Flask, hub: Hub) -> None:
    """Let `app` know its hub and who is logged in, and close every page to everyone else."""
    now_ms = hub.intake.now_ms
    app.extensions[_EXTENSION] = Desk(hub, Guesses(hub.engine, now_ms), Sittings(hub.engine, now_ms))
    app.session_interface = _Sessions()
    logins = LoginManager(app)
    logins.session_protection = "strong"
    logins.user_loader(lambda key: desk().sittings.find(key))
    app.before_request(_refuse_strangers)
    app.context_processor(lambda: {"may": _may})


def desk() -> Desk:
    return cast(Desk, current_app.extensions[_EXTENSION])


def hub() -> Hub:
    return desk().hub


def operator() -> Operator:
    """The operator who is logged in at this browser."""
    return cast(Sitting, current_user).operator


@contextmanager
def seen() -> Iterator[Connection]:
    """One transaction that reads, in which every table holds only what lies in the operator's region."""
    with seeing(hub().engine, operator().standing) as connection:
        yield connection


def needs(right: Right) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Close a view to operators whose role has no right to what it does (403); what it does is written down."""

    def close(view: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(view)
        def closed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            if not operator().standing.may(right):
                abort(403)
            if request.method != "GET":
                _write_down()
            return view(*args, **kwargs)

        return closed

    return close


def _write_down() -> None:
    """That the operator sets about doing what this form asks for."""
    named = {**(request.view_args or {}), **{key: request.form.get(key, "") for key in _TOLD}}
    about = ", ".join(f"{key}={value}" for key, value in named.items() if value)
    audit.write(
        hub().engine, hub().config, operator(), request.endpoint or "", about, hub().intake.now_ms()
    )


def begin_sitting(who: Operator) -> None:
    """Log `who` in; nothing of an earlier session stays."""
    end_sitting()
    login_user(desk().sittings.begin(who))


def end_sitting() -> None:
    if current_user.is_authenticated:
        desk().sittings.end(cast(Sitting, current_user).id)
    logout_user()
    session.clear()


def _may(right: str) -> bool:
    """For templates: whether whoever looks at the page has this right, by its name."""
    return bool(current_user.is_authenticated) and operator().standing.may(Right[right])


def page_number() -> int:
    """Which page of a list was asked for, counted from 1."""
    return max(1, request.args.get("halaman", 1, int))


def pages_of(total: int) -> int:
    return max(1, -(-total // PAGE))


def _refuse_strangers() -> Response | None:
    # An address that doesn't exist tells nothing; it may say so.
    if request.endpoint is None or request.endpoint in _OPEN or current_user.is_authenticated:
        return None
    if "_user_id" in session:
        session.clear()
        flash(
            _("Anda dikeluarkan karena halaman lama tidak dipakai. Masuk lagi untuk melanjutkan."), "warn"
        )
    return redirect(url_for("enter.enter", next=here()))

"""What the views of one hub share: the hub, who is logged in, and that nobody else sees anything."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial, wraps
from typing import Final, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, flash, g, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import AnonymousUserMixin, LoginManager, current_user, login_user, logout_user
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from hub import audit
from hub.errors import BusyError, NotAllowedError
from hub.operators import Operator
from hub.roles import NAMES, Right
from hub.seeing import seeing
from hub.views.guesses import Guesses, Try
from hub.views.sittings import Sitting, Sittings
from hub.wiring import Hub
from sync.errors import N_
from web.dates import wait
from web.languages import gettext as _
from web.languages import here, safe_path

PAGE: Final = 50
"""Rows on one page of a list."""
NUMBER: Final = "<int(max=9223372036854775807):number>"
"""A row of this hub in an address; a larger number no database takes."""

_P = ParamSpec("_P")
_R = TypeVar("_R")

_TOLD: Final = (
    "region", "village", "decision", "until", "role", "stage", "wilayah", "keadaan", "pelatihan",
)  # fmt: skip
"""Fields of forms and filters that say where and what; never what people wrote."""
PROOF: Final = "proof"
"""The field of a form in which a password comes along."""
_EXTENSION: Final = "lontar"
_OPEN: Final = {
    "enter.enter",
    "enter.code",
    "enter.ask_passkey",
    "enter.take_passkey",
    "web.static",
    "languages.choose",
    "looks.show",
    "looks.choose",
    "certificates.check",
    "certificates.scanned",
    "certificates.scanned_small",
    "certificates.badge",
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
        return _is_behind_tls() or super().get_cookie_secure(app)


def prepare(app: Flask, hub: Hub) -> None:
    """Let `app` know its hub and who is logged in, and close every page to everyone else."""
    now_ms = hub.intake.now_ms
    app.extensions[_EXTENSION] = Desk(hub, Guesses(hub.engine, now_ms), Sittings(hub.engine, now_ms))
    app.session_interface = _Sessions()
    logins = LoginManager(app)
    logins.session_protection = "strong"
    logins.user_loader(_sitting_of)
    app.before_request(_refuse_strangers)
    app.context_processor(lambda: {"may": _may})


def _sitting_of(key: str) -> Sitting | None:
    try:
        return desk().sittings.find(key)
    except BusyError:
        # The page that says so greets nobody by name: to ask again who it is would fail again.
        g._login_user = AnonymousUserMixin()
        raise


def desk() -> Desk:
    return cast(Desk, current_app.extensions[_EXTENSION])


def hub() -> Hub:
    return desk().hub


def operator() -> Operator:
    """The operator who is logged in at this browser."""
    return sitting().operator


def sitting() -> Sitting:
    """Where that operator is logged in."""
    return cast(Sitting, current_user)


def seen() -> AbstractContextManager[Connection]:
    """One transaction that reads, in which every table holds only what lies in the operator's region."""
    return seeing_later()()


def seeing_later() -> Callable[[], AbstractContextManager[Connection]]:
    """`seen` for what is still read after the view has returned."""
    return partial(seeing, hub().engine, operator().standing)


def needs(right: Right | None, fresh: bool = False) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Close a view to operators whose role has no right to what it does (403); what it does is written down.

    Without a right it is open to all of them: it concerns their own account. If it is to be `fresh`, whoever hasn't proved
    for some minutes who they are is asked for the password first.
    """

    def close(view: Callable[_P, _R]) -> Callable[_P, _R]:
        @wraps(view)
        def closed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            if right is not None:
                must(right)
            if fresh and (asked := _ask_again()) is not None:
                return cast(_R, asked)
            # Taking names out of the centre is an act too, although it changes nothing here.
            if request.method not in ("GET", "HEAD") or right is Right.EXPORT:
                _write_down()
            return view(*args, **kwargs)

        return closed

    return close


def must(right: Right) -> None:
    """
    Raises:
        NotAllowedError: the account of whoever sits here has no such right.
    """
    standing = operator().standing
    if not standing.may(right):
        raise NotAllowedError(
            N_("Akun Anda (%(role)s, %(region)s) tidak berhak melakukan ini. Tidak ada yang berubah."),
            role=_(NAMES[standing.role]),
            region=standing.scope or _("Nasional"),
        )


def prove() -> Try:
    """Check the password that was sent with a form; if it is right, whoever sits here has proved it."""
    tried = desk().guesses.attempt(operator().name, request.form.get(PROOF, ""))
    if tried.operator is not None:
        desk().sittings.prove(sitting().id)
    return tried


def _ask_again() -> ResponseReturnValue | None:
    """A page that asks for the password and repeats what was asked for; None if it needn't, or was right."""
    if desk().sittings.is_proved(sitting()):
        return None
    problem, status = "", 403
    if request.method == "POST" and PROOF in request.form:
        tried = prove()
        if tried.operator is not None:
            return None
        problem, status = refusal(tried, _("Kata sandi salah. Tulis lagi."))
    # A form goes on where it was sent; what was only looked at is opened again afterwards. A file that comes then leaves
    # this page standing: from it one goes back.
    action = request.path if request.method == "POST" else url_for("enter.prove_again", next=here())
    fields = [
        (key, value) for key, value in request.form.items(multi=True) if key not in (PROOF, "csrf_token")
    ]
    return render_template(
        "again.html",
        action=action,
        fields=fields,
        proof=PROOF,
        problem=problem,
        is_file=request.method == "GET",
        back=came_from(),
    ), status


def came_from() -> str:
    """The page whose link or form led here; empty where that isn't known, as after a wrong password."""
    page = urlsplit(request.referrer or "")
    if page.path in ("", request.path):
        return ""
    return safe_path(f"{page.path}?{page.query}".rstrip("?"))


def refusal(tried: Try, wrong: str) -> tuple[str, int]:
    """The sentence and status for a try that didn't succeed."""
    if not tried.wait_s:
        return wrong, 422
    return _(
        "Terlalu banyak kata sandi salah. Tunggu %(time)s, lalu coba lagi.", time=wait(tried.wait_s)
    ), 429


def _write_down() -> None:
    """That the operator sets about doing what this form asks for."""
    named = {**(request.view_args or {}), **{key: request.values.get(key, "") for key in _TOLD}}
    about = ", ".join(f"{key}={value}" for key, value in named.items() if value)
    audit.write(
        hub().engine, hub().config, operator(), request.endpoint or "", about, hub().intake.now_ms()
    )


def begin_sitting(who: Operator) -> None:
    """Log `who` in; nothing of an earlier session stays."""
    end_sitting()
    login_user(desk().sittings.begin(who, request.user_agent.string))


def end_sitting() -> None:
    if current_user.is_authenticated:
        desk().sittings.end(sitting().id)
    logout_user()
    session.clear()


def _may(right: str) -> bool:
    """For templates: whether whoever looks at the page has this right, by its name."""
    return bool(current_user.is_authenticated) and operator().standing.may(Right[right])


def origin() -> str:
    """Where the browser is, as it names this hub; also behind a proxy that speaks TLS."""
    return f"{'https' if _is_behind_tls() else request.scheme}://{request.host}"


def _is_behind_tls() -> bool:
    """Who forges this header only loses the own cookie."""
    return request.headers.get("X-Forwarded-Proto", request.scheme) == "https"


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

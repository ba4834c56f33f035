"""Who sits at which browser: log-in, idle log-out, and how long a page was looked at.

Sittings live in memory and are measured in powered-on time. A restart ends them all: after a power cut
anyone may be at the laptop, so the PIN is asked again; answers are in the log and not lost. The session
cookie only names the sitting, and it carries no date, since village clocks jump.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import UserMixin
from itsdangerous import BadSignature, URLSafeSerializer

from node.learners import OPERATOR

IDLE_MS: Final = 20 * 60 * 1000
LONGEST_LOOK_S: Final = 30 * 60
"""A page that lay open for longer was not being read."""


@dataclass
class Sitting(UserMixin):  # type: ignore[misc]
    """One stretch of one person at one browser. `get_id` is what Flask-Login puts into the session."""

    id: str
    who: int
    seen_t: int
    shown: tuple[int, ...] = ()
    shown_t: int = 0

    @property
    def is_operator(self) -> bool:
        return self.who == OPERATOR

    def show(self, t: int, *place: int) -> bool:
        """Note that the page of `place` (pack, lesson, question) is being looked at; False if it was already."""
        if self.shown == place:
            return False
        self.shown, self.shown_t = place, t
        return True

    def looked_s(self, t: int, *place: int) -> int:
        """Seconds since that page was shown; 0 if another one was, and the count starts anew."""
        seconds = (t - self.shown_t) // 1000 if self.shown == place else 0
        self.shown_t = t
        return min(max(0, seconds), LONGEST_LOOK_S)


class Sittings:
    """All sittings of this process."""

    def __init__(self, log_time: Callable[[], int]) -> None:
        self._log_time = log_time
        self._open: dict[str, Sitting] = {}
        self._lock = threading.Lock()

    def begin(self, who: int) -> Sitting:
        now = self._log_time()
        sitting = Sitting(secrets.token_urlsafe(24), who, now)
        with self._lock:
            self._open = {key: other for key, other in self._open.items() if now - other.seen_t <= IDLE_MS}
            self._open[sitting.id] = sitting
        return sitting

    def find(self, key: str, until_t: int | None = None) -> Sitting | None:
        """The sitting if it is still on; being found counts as being used, if it isn't later than `until_t`."""
        now = self._log_time()
        with self._lock:
            sitting = self._open.get(key)
            if sitting is None:
                return None
            if now - sitting.seen_t > IDLE_MS:
                del self._open[key]
                return None
            if until_t is None or now <= until_t:
                sitting.seen_t = now
            return sitting

    def end(self, key: str) -> None:
        with self._lock:
            self._open.pop(key, None)

    def end_all_of(self, who: int) -> None:
        with self._lock:
            self._open = {key: other for key, other in self._open.items() if other.who != who}


class _Undated(URLSafeSerializer):
    """Signed like Flask's cookies, without the time stamp that a clock set back would make invalid."""

    def loads(self, s: str | bytes, *args: Any, **_dates: Any) -> Any:
        return super().loads(s)


class UndatedSessions(SecureCookieSessionInterface):
    """Sessions that outlive a change of the wall clock."""

    salt = "lontar-session"
    digest_method = staticmethod(hashlib.sha256)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """Of several cookies of our name, the one that is ours: activities can set others (decision 13)."""
        serializer = self.get_signing_serializer(app)
        for value in request.cookies.getlist(self.get_cookie_name(app)):
            try:
                return self.session_class(serializer.loads(value))
            except BadSignature:
                continue
        return self.session_class()

    def get_signing_serializer(self, app: Flask) -> Any:
        return _Undated(
            app.secret_key or b"",
            salt=self.salt,
            serializer=self.serializer,
            signer_kwargs={"key_derivation": self.key_derivation, "digest_method": self.digest_method},
        )

"""Refusals: one sentence for a person, attributes for code.

A sentence is a gettext message id in Indonesian with `%(name)s` places; whoever shows it (a view, a
command) translates it once, at the border, with `sentence()`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar


def N_(text: str) -> str:
    """Mark a text for translation without translating it here."""
    return text


class LontarError(Exception):
    """The base of every refusal; each package derives its own.

    `code` is stable and is listed in the manual, `exit_code` is what a command ends with,
    `http_status` is what a view answers.
    """

    code: ClassVar[str] = "lontar"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 400

    def __init__(self, text: str, **details: object) -> None:
        super().__init__(text)
        self.text = text
        self.details = details

    def sentence(self, translate: Callable[[str], str] = lambda text: text) -> str:
        """The message for a person, in the language of `translate`."""
        return translate(self.text) % self.details if self.details else translate(self.text)

    def __str__(self) -> str:
        return self.sentence()


class SyncError(LontarError):
    """Something about logs, segments or an exchange was refused."""

    code = "sync"


class MalformedError(SyncError):
    """Bytes that do not have the shape they must have."""

    code = "malformed"


class TooLargeError(SyncError):
    """A limit of `sync.limits` was passed."""

    code = "too-large"
    http_status = 413


class SignatureError(SyncError):
    """A signature does not belong to these bytes and this key."""

    code = "bad-signature"
    http_status = 403


class SealError(SyncError):
    """Something sealed can't be opened here."""

    code = "sealed"
    http_status = 422


class TornError(SyncError):
    """A part on a stick isn't whole: it was pulled too early, or the stick is bad."""

    code = "torn"
    http_status = 422


class StickError(SyncError):
    """A stick that can't be read or written as it should."""

    code = "stick"
    exit_code = 9


class UnknownVersionError(SyncError):
    """A format newer than this software."""

    code = "unknown-version"
    exit_code = 3


class ExchangeError(SyncError):
    """A round trip that did not end in a receipt. The device's work is safe and is sent again."""

    code = "exchange"
    exit_code = 4


class UnreachableError(ExchangeError):
    """No connection, or it broke."""

    code = "unreachable"


class NotAHubError(ExchangeError):
    """Something answered, but it is not the hub this device knows."""

    code = "not-a-hub"
    exit_code = 5


class RefusedError(ExchangeError):
    """The hub answered and refused."""

    code = "refused"
    exit_code = 6

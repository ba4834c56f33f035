"""Refusals of the hub."""

from __future__ import annotations

from typing import ClassVar

from sync.errors import LontarError


class HubError(LontarError):
    code: ClassVar[str] = "hub"


class NewerDatabaseError(HubError):
    code = "newer-database"
    exit_code = 3


class UnknownDeviceError(HubError):
    """A request whose device this hub has never heard of."""

    code = "unknown-device"
    http_status = 403


class CodeRefusedError(HubError):
    """A registration code that is unknown, used up, expired or for another village."""

    code = "code-refused"
    http_status = 403


class NotAllowedError(HubError):
    """What the role of somebody's account gives no right to."""

    code = "not-allowed"
    http_status = 403


class BusyError(HubError):
    code = "try-later"
    http_status = 503


class NotFoundError(HubError):
    code = "not-found"
    http_status = 404
    exit_code = 2

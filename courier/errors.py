"""Refusals of the officer's laptop: what happened, whether the data is safe, what to do now."""

from __future__ import annotations

from typing import ClassVar

from sync.errors import LontarError


class CourierError(LontarError):
    code: ClassVar[str] = "courier"


class NewerDatabaseError(CourierError):
    """The ledger was written by a newer Lontar; nothing is touched."""

    code = "newer-database"
    exit_code = 3


class DiskFullError(CourierError):
    code = "disk-full"
    exit_code = 7
    http_status = 507


class NotReadyError(CourierError):
    """The hub's address or keys aren't known yet."""

    code = "not-ready"
    exit_code = 6


class BusyError(CourierError):
    """Something else is being done with a stick or the hub."""

    code = "busy"
    http_status = 409

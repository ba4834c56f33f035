"""Refusals of the node: what happened, whether the work is safe, what to do now."""

from __future__ import annotations

from typing import ClassVar

from sync.errors import LontarError


class NodeError(LontarError):
    code: ClassVar[str] = "node"


class NewerDatabaseError(NodeError):
    """The database was written by a newer Lontar; nothing is touched."""

    code = "newer-database"
    exit_code = 3


class DiskFullError(NodeError):
    code = "disk-full"
    exit_code = 7
    http_status = 507


class DamagedDatabaseError(NodeError):
    code = "damaged-database"
    exit_code = 8
    http_status = 500


class ActivityError(NodeError):
    """A line of imported activity that can't be recorded."""

    code = "activity"
    exit_code = 2


class UnknownThingError(NodeError):
    """A learner, course, lesson or question that isn't on this device."""

    code = "not-found"
    http_status = 404


class AllowanceSpentError(NodeError):
    """This month's megabytes for courses are used up."""

    code = "allowance-spent"
    exit_code = 7


class OutcomeError(NodeError):
    """What an activity says of a learner's work can't be taken."""

    code = "outcome"
    http_status = 422

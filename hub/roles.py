"""Who may do what at the centre, and for which region: roles, the rights that each has, and scopes.

A scope is the beginning of a region's code: "" is the nation, "17" a province, "17.05" a regency, "17.05.02" a
district. What an operator may see is what lies in the scope; the database itself holds to it (`hub.seeing`). What an
operator may do is what the role has a right to.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from sync.errors import N_

NATION: Final = ""


class Right(Enum):
    """What somebody may do. Looking at what lies in the scope needs none."""

    EXPORT = "export"
    """Take tables with names out of the centre."""
    DECIDE = "decide"
    """Merge and separate people, deal with alerts, quarantine and rejected entries."""
    ERASE = "erase"
    """Delete somebody's personal data for good."""
    REGISTER = "register"
    """Let devices and couriers in, and shut them out."""
    CERTIFY = "certify"
    """Confirm and withdraw certificates."""
    RULE = "rule"
    """Say what certificates ask for and how they are numbered: for the whole centre, so only for the nation."""
    PUBLISH = "publish"
    """Publish courses, offer them, and write announcements."""
    MANAGE = "manage"
    """Invite operators and end their accounts, within the own scope."""
    AUDIT = "audit"
    """Read what operators did: the log belongs to the centre as a whole, so only for the nation."""


class Role(Enum):
    """What an account is for; the value stands in the database."""

    OPERATOR = "operator"
    PUBLISHER = "publisher"
    VIEWER = "viewer"
    AUDITOR = "auditor"


RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.OPERATOR: frozenset(Right),
    Role.PUBLISHER: frozenset({Right.PUBLISH}),
    Role.VIEWER: frozenset(),
    Role.AUDITOR: frozenset({Right.AUDIT, Right.EXPORT}),
}
NAMES: Final[dict[Role, str]] = {
    Role.OPERATOR: N_("Operator wilayah"),
    Role.PUBLISHER: N_("Penerbit pelatihan"),
    Role.VIEWER: N_("Pembaca"),
    Role.AUDITOR: N_("Auditor"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A role within a scope."""

    role: Role
    scope: str

    def may(self, right: Right) -> bool:
        is_of_the_centre = right in (Right.AUDIT, Right.RULE)
        return right in RIGHTS[self.role] and (self.scope == NATION or not is_of_the_centre)

    def covers(self, code: str) -> bool:
        """Whether a region or village lies in the scope."""
        return not self.scope or code == self.scope or code.startswith(f"{self.scope}.")


NATIONAL: Final = Standing(Role.OPERATOR, NATION)

"""What happened to this laptop's disk or power, until the operator has read it: one thing at a time, the gravest.

Kept in the settings, so that a second power cut doesn't swallow the news of the first; and in memory, so that pages
ask nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from node.store import Store

_KEY: Final = "incident"
SHOWN_MS: Final = 3_600_000
"""How long after a start, in powered-on time, everybody is told on the first page."""


class What(IntEnum):
    """From harmless to grave."""

    CUT = 1
    """The power failed; everything is there."""
    REBUILT = 2
    """The database was damaged where it can be made anew; no entry is missing."""
    RESTORED = 3
    """The operator went back to a copy."""
    RECENT_UNSURE = 4
    """The file of the last commits was gone or broken: the last minutes before the cut may be missing."""
    MENDED = 5
    """The database was damaged; what could be read, and a snapshot, were put together."""
    LOST = 6
    """The database was gone, and there was no snapshot."""


@dataclass(frozen=True, slots=True)
class Incident:
    """`entries` are here now; `missing` are known to have been here, None if nobody can know.

    `aside` is the folder in which the files lie as they were found.
    """

    what: What
    entries: int
    missing: int | None = 0
    aside: str = ""


class Incidents:
    """The news of one data folder."""

    def __init__(self, store: Store, since_t: int = 0) -> None:
        """`since_t` is the log time of this start."""
        self._store = store
        self.since_t = since_t
        match store.get(_KEY):
            case [int() as what, int() as entries, missing, str() as aside]:
                self._now: Incident | None = Incident(What(what), entries, missing, aside)
            case _:
                self._now = None

    def now(self) -> Incident | None:
        """What nobody has acknowledged yet."""
        return self._now

    def note(self, incident: Incident) -> None:
        """Tell this from now on, unless something graver is still to be read."""
        if self._now is None or incident.what >= self._now.what:
            self._store.put(_KEY, as_setting(incident))
            self._now = incident

    def acknowledge(self) -> None:
        """The operator has read it."""
        self._store.put(_KEY, None)
        self._now = None


def as_setting(incident: Incident) -> list[object]:
    """What stands in the settings; a database that is put together elsewhere brings it along."""
    return [int(incident.what), incident.entries, incident.missing, incident.aside]


KEY: Final = _KEY

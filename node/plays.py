"""Activities that are being played: each has an address that nobody can guess and that opens nothing else.

The address is given to the learner who opened the lesson, and ends with that sitting. Kept in memory, like sittings.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from node.sittings import Sitting, Sittings

PLAYS_MOST: Final = 200
SUBMISSIONS_MOST: Final = 30
"""Scores that one play may record: a learner tries again, a bad course says a thousand."""


@dataclass
class Play:
    """One learner at one activity. `lesson` is its number in the pack; `began_t` log time."""

    token: str
    sitting: str
    learner: int
    pack: int
    lesson: int
    began_t: int
    submissions: int = 0


class Plays:
    """All plays of this process, the latest ones."""

    def __init__(self, sittings: Sittings) -> None:
        self._sittings = sittings
        self._open: OrderedDict[str, Play] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, sitting: Sitting, pack: int, lesson: int, now_t: int) -> Play:
        """Let this learner play; opening the lesson again goes on in the same play."""
        with self._lock:
            for play in self._open.values():
                if (play.sitting, play.pack, play.lesson) == (sitting.id, pack, lesson):
                    return play
            play = Play(secrets.token_urlsafe(24), sitting.id, sitting.who, pack, lesson, now_t)
            self._open[play.token] = play
            while len(self._open) > PLAYS_MOST:
                self._open.popitem(last=False)
        return play

    def find(self, token: str) -> Play | None:
        """The play, while its learner is logged in; being used keeps the learner logged in."""
        with self._lock:
            play = self._open.get(token)
        if play is None:
            return None
        sitting = self._sittings.find(play.sitting)
        if sitting is None or sitting.who != play.learner:
            with self._lock:
                self._open.pop(token, None)
            return None
        return play

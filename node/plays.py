"""Activities that are being played: each has an address that nobody can guess and that opens nothing else.

The address is given to the learner who opened the lesson, and ends with that sitting. What an activity may cost the laptop is
counted here too: it is foreign, and may speak without end. Kept in memory, like sittings.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from node.sittings import Sitting, Sittings

PLAYS_MOST: Final = 2000
PLAYS_OF_ONE_MOST: Final = 12
"""Of one learner: who opens many lessons ends their own plays, not those of others."""
ALONE_MOST_MS: Final = 3 * 3600 * 1000
"""So long a play may keep its learner logged in while no page is opened."""
SUBMISSIONS_MOST: Final = 30
"""Scores that one play may record: a learner tries again, a bad course says a thousand."""
TIMES_MOST: Final = 30
"""How often one play may record nothing but time spent."""
ANSWERS_MOST: Final = 400
"""Answers that one play may record, with those that were changed."""
_BURST: Final = 120.0
_PER_SECOND: Final = 3.0


@dataclass
class Play:
    """One learner at one activity. `lesson` is its number in the pack; `began_t`, `opened_t` log time."""

    token: str
    sitting: str
    learner: int
    pack: int
    lesson: int
    began_t: int
    opened_t: int = 0
    submissions: int = 0
    times: int = 0
    answers: int = 0
    credit: float = _BURST
    credit_t: int = 0

    def may_speak(self, now_t: int) -> bool:
        """Whether it may say something now. Many things at once are usual, hundreds a minute aren't."""
        earned = max(0, now_t - self.credit_t) / 1000 * _PER_SECOND
        self.credit, self.credit_t = min(_BURST, self.credit + earned), now_t
        if self.credit < 1:
            return False
        self.credit -= 1
        return True


class Plays:
    """All plays of this process, the latest ones."""

    def __init__(self, sittings: Sittings) -> None:
        self._sittings = sittings
        self._open: OrderedDict[str, Play] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, sitting: Sitting, pack: int, lesson: int, now_t: int) -> Play:
        """Let this learner play; opening the lesson again goes on in the same play."""
        with self._lock:
            theirs = [play for play in self._open.values() if play.learner == sitting.who]
            for play in theirs:
                if (play.sitting, play.pack, play.lesson) == (sitting.id, pack, lesson):
                    play.opened_t = now_t
                    self._open.move_to_end(play.token)
                    return play
            for oldest in theirs[: max(0, len(theirs) - PLAYS_OF_ONE_MOST + 1)]:
                del self._open[oldest.token]
            play = Play(secrets.token_urlsafe(24), sitting.id, sitting.who, pack, lesson, now_t, now_t)
            self._open[play.token] = play
            while len(self._open) > PLAYS_MOST:
                self._open.popitem(last=False)
        return play

    def find(self, token: str, counts: bool = True) -> Play | None:
        """The play, while its learner is logged in. If this `counts`, it keeps the learner logged in, for some hours."""
        with self._lock:
            play = self._open.get(token)
        if play is None:
            return None
        sitting = self._sittings.find(play.sitting, play.opened_t + ALONE_MOST_MS if counts else -1)
        if sitting is None or sitting.who != play.learner:
            with self._lock:
                self._open.pop(token, None)
            return None
        return play

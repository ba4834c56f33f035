"""Where each person was in each lesson, so that opening it again goes on there. Owns reading_places.

Kept by the person's own id, the course's key and the lesson's id, so that a place outlives new versions of the course and is
deleted with the person. It is a bookmark, no achievement: it makes no entry and never leaves this laptop.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from content_packs.lesson_file import LessonContent
from node.course_state import WHOLE
from node.errors import UnknownThingError
from node.learning import Learning
from node.recorder import Recorder
from node.store import Store
from sync.errors import N_

HEADING_MOST: Final = 80
_HEADING: Final = re.compile(rf"[a-z0-9-]{{0,{HEADING_MOST}}}")
_IDS: Final = "SELECT n.id FROM learners n JOIN learners o ON o.person = n.person WHERE o.number = ?"
"""All identities of the person with that number: people whom the centre joined go on wherever they were last."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a lesson. `within` is the share of the stretch under `heading` (before the first one it is empty), `share` that of
    the whole lesson, both in hundredths of a percent; `t` is the log time."""

    heading: str = ""
    within: int = 0
    share: int = 0
    t: int = 0

    @property
    def is_under_way(self) -> bool:
        """Whether going on here spares anybody anything."""
        return bool(self.heading or self.within) and self.share < WHOLE * 95 // 100


class ReadingPlaces:
    """One per node; safe to use from several threads."""

    def __init__(self, store: Store, recorder: Recorder, learning: Learning) -> None:
        self._store = store
        self._recorder = recorder
        self._learning = learning

    def open_lesson(self, learner: int, pack: int, lesson: int) -> LessonContent:
        """As `Learning.open_lesson`, and it is the lesson that this person opened last; one transaction."""
        with self._store.write() as db:
            content = self._learning.open_lesson(learner, pack, lesson)
            query = """INSERT INTO reading_places (learner, course_key, lesson, heading, within, share, t)
                       SELECT id, ?, ?, '', 0, 0, ? FROM learners WHERE number = ?
                       ON CONFLICT DO UPDATE SET t = excluded.t"""
            db.execute(query, (*self._key(pack, lesson), self._recorder.now(), learner))
        return content

    def reach(self, learner: int, pack: int, lesson: int, heading: str, within: int, share: int) -> None:
        """Remember a place. Saying the same again writes nothing; what can't be read is as good as the beginning.

        Raises:
            UnknownThingError: no such pack or lesson on this device.
        """
        key, now = self._key(pack, lesson), self._recorder.now()
        place = readable(heading, within, share)
        with self._store.write() as db:
            query = """INSERT INTO reading_places (learner, course_key, lesson, heading, within, share, t)
                       SELECT id, ?, ?, ?, ?, ?, ? FROM learners WHERE number = ?
                       ON CONFLICT DO UPDATE
                       SET heading = excluded.heading, within = excluded.within, share = excluded.share, t = excluded.t
                       WHERE (heading, within, share) IS NOT (excluded.heading, excluded.within, excluded.share)"""
            db.execute(query, (*key, *place, now, learner))

    def place(self, learner: int, pack: int, lesson: int) -> Place:
        """Where this person was in a lesson last; the beginning if never."""
        query = f"""SELECT heading, within, share, t FROM reading_places
                    WHERE learner IN ({_IDS}) AND course_key = ? AND lesson = ? ORDER BY t DESC LIMIT 1"""  # noqa: S608
        with self._store.read() as db:
            row = db.execute(query, (learner, *self._key(pack, lesson))).fetchone()
        return Place() if row is None else Place(*row)

    def places(self, learner: int) -> dict[tuple[bytes, str], Place]:
        """All places of a person by the course's key and the lesson's id."""
        query = f"""SELECT course_key, lesson, heading, within, share, t FROM reading_places
                    WHERE learner IN ({_IDS}) ORDER BY t"""  # noqa: S608
        with self._store.read() as db:
            return {(row[0], row[1]): Place(*row[2:]) for row in db.execute(query, (learner,))}

    def _key(self, pack: int, lesson: int) -> tuple[bytes, str]:
        manifest = self._learning.manifest(pack)
        found = manifest.lesson(lesson)
        if found is None:
            raise UnknownThingError(N_("Materi ini tidak ada di perangkat ini."))
        return manifest.course_key, found.id


def readable(heading: str, within: int, share: int) -> tuple[str, int, int]:
    """A place as it is kept, whatever a browser said."""
    return heading if _HEADING.fullmatch(heading) else "", _bounded(within), _bounded(share)


def of_identities(db: sqlite3.Connection, identities: Iterable[bytes]) -> list[dict[str, Any]]:
    """What is remembered of a person, for the person."""
    found = []
    for identity in sorted(identities):
        query = (
            "SELECT lower(hex(course_key)), lesson, heading, share FROM reading_places WHERE learner = ?"
        )
        for course_key, lesson, heading, share in db.execute(query, (identity,)):
            found.append(
                {
                    "course_key": course_key,
                    "lesson": lesson,
                    "heading": heading,
                    "share_percent": share / 100,
                }
            )
    return found


def forget(db: sqlite3.Connection, commitment: bytes) -> None:
    """Delete the places of a person whose profile was erased."""
    query = "DELETE FROM reading_places WHERE learner IN (SELECT id FROM learners WHERE commitment = ?)"
    db.execute(query, (commitment,))


def _bounded(share: int) -> int:
    return max(0, min(share, WHOLE))

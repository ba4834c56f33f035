"""How long a lesson takes: what its author says, else a guess from its words and questions, which says that it is one.

Reading a whole course for it is done once a run of the program. Pace: adults read Indonesian aloud in their head at some
160 words a minute, which is slow enough for texts of law; a question takes a minute.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from content_packs.errors import PackError
from content_packs.lesson_file import LessonContent
from content_packs.outline import Lesson
from content_packs.store import InstalledPack

WORDS_A_MINUTE: Final = 160
MINUTES_A_QUESTION: Final = 1
_TAG: Final = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Duration:
    minutes: int
    is_guess: bool = False


class Durations:
    """Of all packs that were asked about."""

    def __init__(self) -> None:
        self._known: dict[bytes, dict[int, Duration]] = {}

    def of(self, pack: InstalledPack) -> dict[int, Duration]:
        """By the lesson's number; what is played, or damaged, and has no minutes of its author is left out."""
        if pack.manifest_hash not in self._known:
            found = ((lesson.number, _duration(pack, lesson)) for lesson in pack.manifest.lessons)
            self._known[pack.manifest_hash] = {number: one for number, one in found if one is not None}
        return self._known[pack.manifest_hash]


def guess(content: LessonContent) -> int:
    """Minutes that reading and answering take, at least one."""
    words = len(_TAG.sub(" ", content.html).split())
    return max(1, math.ceil(words / WORDS_A_MINUTE + MINUTES_A_QUESTION * len(content.questions)))


def _duration(pack: InstalledPack, lesson: Lesson) -> Duration | None:
    if lesson.minutes:
        return Duration(lesson.minutes)
    if lesson.player:
        return None
    try:
        return Duration(guess(pack.lesson(lesson.number)), is_guess=True)
    except PackError:
        return None

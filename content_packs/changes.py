"""What a new version of a course changes: for those who learn from the old one, and in bytes for those who fetch it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from content_packs.manifest import Manifest
from content_packs.outline import Lesson


class Fate(Enum):
    """What becomes of a lesson."""

    SAME = "same"
    """What was learned counts; its words may have changed."""
    REVISED = "revised"
    """It is to be learned anew."""
    NEW = "new"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class LessonChange:
    id: str
    title: str
    fate: Fate
    content_changed: bool


def lesson_changes(old: Manifest, new: Manifest) -> list[LessonChange]:
    """Every lesson of the new version in its order, then those of the old one that are gone."""
    made, kept = [], set()
    for lesson in new.lessons:
        before = next((one for one in old.lessons if one.id in (lesson.id, *lesson.was)), None)
        if before is None:
            made.append(LessonChange(lesson.id, lesson.title, Fate.NEW, True))
            continue
        kept.add(before.id)
        fate = Fate.REVISED if lesson.revised_in > old.version else Fate.SAME
        changed = _pieces(old, before) != _pieces(new, lesson)
        made.append(LessonChange(lesson.id, lesson.title, fate, changed))
    gone = [one for one in old.lessons if one.id not in kept]
    return made + [LessonChange(one.id, one.title, Fate.DROPPED, True) for one in gone]


def new_pieces(old: Manifest, new: Manifest) -> set[bytes]:
    """The hashes of the pieces that somebody with the old version has to fetch."""
    have = {digest for file in old.files for digest in file.pieces}
    return {digest for file in new.files for digest in file.pieces} - have


def _pieces(manifest: Manifest, lesson: Lesson) -> tuple[bytes, ...]:
    file = manifest.file(lesson.content)
    return file.pieces if file is not None else ()

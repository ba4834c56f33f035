"""Versions of a course on one laptop: which one a learner sees, and what of an earlier one still counts.

A new version takes the place of the old one on everybody's list, but not under the hands of somebody who has answers in it
that aren't handed in. What was learned is carried over lesson by lesson, by ids: the same id, or one that the new lesson
names as its own of earlier (`was`), unless the lesson was revised since (`revised_in`). Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from content_packs.manifest import Manifest
from content_packs.outline import Lesson

Row = tuple[int | None, ...]
"""openings, seconds, furthest, answers, right answers, attempts, best score: as `learning` reads them."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a course that is installed under a pack number. `is_local`: made in this village."""

    pack: int
    manifest: Manifest
    is_local: bool = False


def shown(
    versions: Sequence[Version], unfinished: Collection[int], hidden: Collection[int]
) -> list[Version]:
    """The versions on a learner's list: the newest of each course, and those in which a test is under way.

    `unfinished` are packs with answers that aren't handed in, `hidden` those that were taken back.
    """
    newest: dict[bytes, Version] = {}
    for version in versions:
        if version.pack not in hidden:
            key = version.manifest.course_key
            if key not in newest or _age(version) > _age(newest[key]):
                newest[key] = version
    return [version for version in versions if version in newest.values() or version.pack in unfinished]


def carried(
    version: Version, earlier: Sequence[Version], rows: Mapping[tuple[int, int], Row]
) -> dict[tuple[int, int], Row]:
    """What counts for each lesson of a version: what was done in it, and what is carried over from earlier ones."""
    made: dict[tuple[int, int], Row] = {}
    for lesson in version.manifest.lessons:
        place = (version.pack, lesson.number)
        found = [rows[place]] if place in rows else []
        for before in earlier:
            same = _same_in(lesson, before.manifest)
            if same is not None and (before.pack, same.number) in rows:
                found.append(rows[before.pack, same.number])
        if found:
            made[place] = _joined(found)
    return made


def earlier_of(version: Version, versions: Sequence[Version]) -> list[Version]:
    """The earlier versions of the same course, the oldest first."""
    same = [one for one in versions if one.manifest.course_key == version.manifest.course_key]
    return sorted((one for one in same if _age(one) < _age(version)), key=_age)


def _same_in(lesson: Lesson, earlier: Manifest) -> Lesson | None:
    """The lesson of an earlier version that counts for this one."""
    if lesson.revised_in > earlier.version:
        return None
    ids = {lesson.id, *lesson.was}
    return next((one for one in earlier.lessons if one.id in ids), None)


def _joined(rows: Sequence[Row]) -> Row:
    """Sums of what was done, the furthest and the best of how far it went."""
    openings, seconds, furthest, answers, right, attempts, best = zip(*rows, strict=True)
    scores = [score for score in best if score is not None]
    return (
        sum(one or 0 for one in openings),
        sum(one or 0 for one in seconds),
        max((one or 0 for one in furthest), default=0),
        sum(one or 0 for one in answers),
        sum(one or 0 for one in right),
        sum(one or 0 for one in attempts),
        max(scores) if scores else None,
    )


def _age(version: Version) -> tuple[bool, int, int]:
    # Once a publisher has taken over a village's own course, its versions are the newer ones.
    return not version.is_local, version.manifest.version, version.pack

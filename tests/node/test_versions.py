"""Versions of a course: which one a learner sees, and what of an earlier one still counts."""

from __future__ import annotations

import dataclasses

import pytest

from content_packs.manifest import Manifest
from content_packs.outline import Lesson
from node.versions import Version, carried, earlier_of, shown


def version(pack: int, number: int, *lessons: Lesson, course: str = "kas") -> Version:
    numbered = tuple(dataclasses.replace(one, number=at) for at, one in enumerate(lessons, start=1))
    manifest = Manifest(course, number, "", "id", "", "", 0, 70, 3, "", bytes(32), numbered, ())
    return Version(pack, manifest)


def lesson(id_: str, *was: str, revised_in: int = 0) -> Lesson:
    return Lesson(0, id_, id_, "lesson", 5, (), "", (), f"{id_}.cbor", was, revised_in)


OLD = version(0, 1, lesson("a"), lesson("b"), lesson("c"))
NEW = version(1, 2, lesson("b"), lesson("d", "a"), lesson("c", revised_in=2), lesson("e"))
OTHER = version(2, 1, lesson("a"), course="lain")
READ = (1, 60, 10_000, 0, 0, 0, None)
TRIED = (1, 30, 5_000, 4, 3, 1, 7_500)


def test_the_newest_version_takes_the_place_of_the_others() -> None:
    assert shown([OLD, NEW, OTHER], unfinished=[], hidden=[]) == [NEW, OTHER]


def test_a_version_in_which_a_test_is_under_way_stays_until_it_is_handed_in() -> None:
    assert shown([OLD, NEW], unfinished=[0], hidden=[]) == [OLD, NEW]


def test_a_version_that_was_taken_back_gives_its_place_to_the_one_before() -> None:
    assert shown([OLD, NEW], unfinished=[], hidden=[1]) == [OLD]


def test_an_older_version_that_is_installed_later_changes_nothing() -> None:
    late = version(5, 1, lesson("a"))
    assert shown([NEW, late], unfinished=[], hidden=[]) == [NEW]


def test_what_was_learned_is_carried_over_by_ids_unless_the_lesson_was_revised() -> None:
    rows = {(0, 1): READ, (0, 2): TRIED, (0, 3): READ}
    counts = carried(NEW, [OLD], rows)
    assert counts == {(1, 1): TRIED, (1, 2): READ}, "b and what was a; c was revised, e is new"


def test_what_was_done_in_both_versions_is_added_and_the_best_counts() -> None:
    rows = {(0, 2): TRIED, (1, 1): (2, 10, 2_000, 1, 1, 1, 9_000)}
    assert carried(NEW, [OLD], rows)[1, 1] == (3, 40, 5_000, 5, 4, 2, 9_000)


def test_other_courses_carry_nothing() -> None:
    assert earlier_of(NEW, [OLD, NEW, OTHER]) == [OLD]
    assert earlier_of(OLD, [OLD, NEW, OTHER]) == []


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_three_versions_carry_in_whatever_order_they_came(order: list[int]) -> None:
    three = [OLD, NEW, version(3, 3, lesson("d"))]
    newest = three[2]
    mixed = [three[at] for at in order]
    assert carried(newest, earlier_of(newest, mixed), {(0, 1): READ}) == {}, "v3 doesn't say that d was a"
    assert carried(newest, earlier_of(newest, mixed), {(1, 2): READ}) == {(3, 1): READ}

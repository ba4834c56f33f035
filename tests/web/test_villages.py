"""The list of villages: whole, with its licence, and found by what people type."""

from __future__ import annotations

from itertools import pairwise

import pytest

from web import villages
from web.villages import FOLDER, SHOWN_MOST, find, search


def test_the_list_is_whole_and_its_licence_lies_beside_it() -> None:
    codes = [code for code, _name in villages.read_list()]
    assert [sum(len(code) == length for code in codes) for length in (2, 5, 8, 13)] == [
        38,
        514,
        7285,
        83762,
    ]
    assert len(set(codes)) == len(codes)
    assert "Open Database License" in (FOLDER / "LICENSE.md").read_text(encoding="utf-8")
    assert "ODbL" in (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("typed", ["17.05.10.2007", "1705102007", " 17.05.10.2007 "])
def test_a_code_is_found_with_or_without_its_points(typed: str) -> None:
    found = search(typed)
    assert [village.name for village in found.villages] == ["Sekalak"]
    assert found.villages[0].place == "Kec. Seluma Utara, Kab. Seluma, Bengkulu"


@pytest.mark.parametrize(
    "typed", ["", "x", "17.05", "17.05.10", "Sekalak", "17.05.10.9999", "99.99.99.9999"]
)
def test_what_is_no_code_of_a_village_finds_none(typed: str) -> None:
    assert find(typed) is None


@pytest.mark.parametrize(
    "typed", ["Sekalak", "sekalak", "Desa Sekalak", "SEKALAK Seluma", "sekalak, bengkulu"]
)
def test_one_village_is_found_however_it_is_typed(typed: str) -> None:
    assert [village.code for village in search(typed).villages] == ["17.05.10.2007"]


def test_a_common_name_shows_the_first_and_says_how_many_there_are() -> None:
    found = search("Sidomulyo")
    assert len(found.villages) == SHOWN_MOST
    assert found.total > 98
    assert len({village.code for village in found.villages}) == SHOWN_MOST


def test_where_it_lies_tells_villages_of_one_name_apart() -> None:
    assert [village.place for village in search("Sidomulyo Lampung Selatan").villages] == [
        "Kec. Sidomulyo, Kab. Lampung Selatan, Lampung"
    ]


def test_names_are_one_however_they_are_spaced() -> None:
    apart, together = search("sido mulyo tebo").villages, search("sidomulyo tebo").villages
    assert [village.name for village in apart] == [village.name for village in together] == ["Sido Mulyo"]


def test_the_exact_name_comes_before_names_that_only_begin_with_it() -> None:
    names = [village.name.casefold().replace(" ", "") == "lubuk" for village in search("lubuk").villages]
    assert names[0]
    assert all(before >= after for before, after in pairwise(names))


@pytest.mark.parametrize("typed", ["", " ", "a", "?!", "12", "Desa", "Negeri di Awan", "x" * 5000])
def test_what_fits_nothing_finds_nothing(typed: str) -> None:
    assert search(typed).total == 0


def test_signs_in_names_need_not_be_typed() -> None:
    assert [village.name for village in search("udek duen").villages] == ["Udek Du’en"]

"""Files are cut where their content says so: the same bytes alike, and what didn't change is shared."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_packs import pieces
from content_packs.pieces import LEAST, MOST, cut

RNG = random.Random(5)
LONG = RNG.randbytes(3_000_000)
FROZEN = [29626, 199961, 56430, 81403, 9660, 22920]


@given(st.integers(0, 400_000), st.sampled_from([b"\0", b"\xff", b"ab"]))
def test_pieces_make_up_the_file_and_keep_their_bounds(size: int, filler: bytes) -> None:
    content = (filler * size)[:size] if size % 2 else LONG[:size]
    made = list(cut(content))
    assert b"".join(made) == content
    assert all(LEAST <= len(piece) <= MOST for piece in made[:-1])
    assert len(made[-1]) <= MOST


def test_an_empty_file_is_one_empty_piece() -> None:
    assert list(cut(b"")) == [b""]


def test_pieces_are_some_64_kib() -> None:
    assert 30 <= len(list(cut(LONG))) <= 60


def test_with_and_without_numpy_the_places_are_the_same() -> None:
    assert pieces._places(LONG[:1_500_000]) == list(pieces._places_one_by_one(LONG[:1_500_000]))


@pytest.mark.parametrize("at", [0, 1_000_000, 2_999_999])
def test_what_stands_before_and_after_an_insertion_is_shared(at: int) -> None:
    before = set(cut(LONG))
    changed = LONG[:at] + RNG.randbytes(10_000) + LONG[at:]
    new = [piece for piece in cut(changed) if piece not in before]
    assert sum(map(len, new)) <= 2 * MOST + 10_000
    assert len(new) <= 6


def test_the_places_are_frozen() -> None:
    """Another cut would share nothing with the packs that villages have."""
    content = random.Random(1).randbytes(400_000)
    assert [len(piece) for piece in cut(content)] == FROZEN

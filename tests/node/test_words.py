"""A fingerprint in words: a list that people can read aloud, and that never changes."""

from __future__ import annotations

import hashlib
import itertools

from sync.keys import fingerprint
from sync.words import WORDS, qr_text, spoken, words_of


def test_there_are_256_short_plain_words_and_none_comes_twice() -> None:
    assert len(WORDS) == len(set(WORDS)) == 256
    for word in WORDS:
        assert 3 <= len(word) <= 8
        assert word.isascii()
        assert word.islower()
        assert word.isalpha()


def test_four_letters_tell_words_apart_and_no_slip_makes_another_word() -> None:
    assert len({word[:4] for word in WORDS}) == 256
    for one, other in itertools.combinations(WORDS, 2):
        if len(one) == len(other):
            assert sum(a != b for a, b in zip(one, other, strict=True)) > 1, (one, other)


def test_the_list_and_the_words_of_keys_are_frozen() -> None:
    listed = hashlib.sha256(" ".join(WORDS).encode()).hexdigest()
    assert listed == "a5fa4cd144bbf762657b0226107c313c01affd194d97097ae56e953eef29278b"
    assert words_of(bytes(32)) == ("empat", "fajar", "hujan", "murid", "waduk", "dunia", "pesta", "hilir")
    assert spoken(bytes(range(32))) == "elang arang rotan beras · empat pulau buah empat"


def test_another_key_has_other_words() -> None:
    assert words_of(b"a" * 32) != words_of(b"b" * 32)


def test_the_square_code_says_the_fingerprint_in_signs_that_it_holds_cheaply() -> None:
    text = qr_text(bytes(32))
    assert text == f"LONTAR:{fingerprint(bytes(32))}"
    assert set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")

"""Kinds of questions: what an answer is, and when it is right."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_packs.questions import (
    Question,
    QuestionKind,
    is_consistent,
    is_right,
    read_answer,
    read_number,
)

K = QuestionKind
CHOICE = Question(1, "a", "?", ("satu", "dua", "tiga"), (1,), "")
MULTIPLE = replace(CHOICE, right=(0, 2), kind=K.MULTIPLE)
MATCHING = replace(CHOICE, right=(1, 0, 1), kind=K.MATCHING, targets=("x", "y"))
ORDERING = replace(CHOICE, right=(), kind=K.ORDERING)
TEXT = replace(CHOICE, choices=(), right=(), kind=K.TEXT, accepted=("APB Desa", "APBDes"))
NUMBER = replace(CHOICE, choices=(), right=(), kind=K.NUMBER, accepted=("12,5", "0,5"))
ALL = (CHOICE, MULTIPLE, MATCHING, ORDERING, TEXT, NUMBER)


@pytest.mark.parametrize("question", ALL, ids=lambda question: question.kind.name)
def test_every_kind_can_be_answered_rightly(question: Question) -> None:
    assert is_consistent(question)
    answer = read_answer(question, question.right_answer)
    assert answer is not None
    assert is_right(question, answer)


@pytest.mark.parametrize(
    ("question", "given_", "right"),
    [
        (CHOICE, "0", False),
        (MULTIPLE, "2,0", True),
        (MULTIPLE, "0", False),
        (MULTIPLE, "0,1,2", False),
        (MATCHING, "1,0,0", False),
        (ORDERING, "1,0,2", False),
        (TEXT, "  apb   desa. ", True),
        (TEXT, "apbd", False),
        (NUMBER, "13", True),
        (NUMBER, "13,01", False),
    ],
)
def test_an_answer_is_right_or_it_isn_t(question: Question, given_: str, right: bool) -> None:
    answer = read_answer(question, given_)
    assert answer is not None
    assert is_right(question, answer) is right


@pytest.mark.parametrize(
    ("question", "given_"),
    [
        *((CHOICE, bad) for bad in ("", "3", "0,1", "-1", "x", "1.0", "²")),
        *((MULTIPLE, bad) for bad in ("", "0,0", "3")),
        *((MATCHING, bad) for bad in ("0,1", "0,1,2", "")),
        *((ORDERING, bad) for bad in ("0,1", "0,1,1", "0,1,3")),
        *((TEXT, bad) for bad in ("", "  ", "x" * 201)),
        *((NUMBER, bad) for bad in ("", "dua", "NaN", "1e99", "Infinity")),
    ],
)
def test_what_is_no_answer_to_a_question_is_none(question: Question, given_: str) -> None:
    assert read_answer(question, given_) is None


@pytest.mark.parametrize("typed", ["3,415", "0,125", "1.234,567", "12.5", "3415"])
def test_a_recorded_number_is_the_one_that_was_typed(typed: str) -> None:
    question = replace(NUMBER, accepted=(typed, "0"))
    answer = read_answer(question, typed)
    assert answer is not None
    assert is_right(question, answer)
    assert read_number(answer) == read_number(typed)


def test_targets_that_say_the_same_are_the_same() -> None:
    twins = replace(MATCHING, targets=("x", "x"))
    assert is_right(twins, "0,0,0")


@pytest.mark.parametrize(
    "question",
    [
        replace(CHOICE, right=(3,)),
        replace(CHOICE, choices=("satu",), right=(0,)),
        replace(MULTIPLE, right=()),
        replace(MATCHING, right=(0, 1)),
        replace(MATCHING, right=(0, 1, 2)),
        replace(ORDERING, right=(0,)),
        replace(TEXT, accepted=("...",)),
        replace(NUMBER, accepted=("1",)),
        replace(NUMBER, accepted=("satu", "0")),
    ],
    ids=repr,
)
def test_what_nobody_could_answer_is_noticed(question: Question) -> None:
    assert not is_consistent(question)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234,5", "1234.5"),
        ("1234.5", "1234.5"),
        ("1.234", "1234"),
        ("0.125", "0.125"),
        ("Rp 2.500.000", "2500000"),
        ("-3,25", "-3.25"),
    ],
)
def test_numbers_are_read_as_people_type_them(text: str, value: str) -> None:
    assert str(read_number(text)) == value


@given(st.text(max_size=60))
def test_whatever_is_typed_is_an_answer_or_none(text: str) -> None:
    for question in ALL:
        answer = read_answer(question, text)
        if answer is not None:
            assert read_answer(question, answer) == answer
            is_right(question, answer)


@given(st.text("abcdefgh", min_size=1, max_size=8), st.integers(2, 8))
def test_an_order_is_shown_mixed_and_always_the_same(id_: str, count: int) -> None:
    question = replace(ORDERING, id=id_, choices=tuple(map(str, range(count))))
    assert sorted(question.shown_order) == list(range(count))
    assert question.shown_order != tuple(range(count))
    assert question.shown_order == replace(question).shown_order

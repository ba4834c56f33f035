"""Progress: the same entries add up to the same rows, whatever their order, batches and branches."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import columns
from sync.batch import batch_of
from sync.entries import (
    INT_MAX,
    INT_MIN,
    ClockObserved,
    CourseCompleted,
    Entry,
    Field,
    Kind,
    LearnerAdded,
    LessonOpened,
    LessonProgressed,
    OperatorActed,
    ProfileChanged,
    QuestionAnswered,
    QuizSubmitted,
)
from sync.errors import MalformedError
from sync.progress.fold import Totals, finished, fold, join_totals
from sync.progress.rows import COURSE_PROGRESS, LESSON_PROGRESS, ROWS, Join
from sync.progress.sql import create_table, upsert

LAWS = settings(max_examples=80, deadline=None)

number = st.integers(0, 2)
seconds = st.integers(0, 900)
hundredths = st.integers(0, 10_000)
kinds: st.SearchStrategy[Kind] = st.one_of(
    st.builds(LessonOpened, number, number, number, seconds),
    st.builds(LessonProgressed, number, number, number, hundredths, seconds),
    st.builds(QuestionAnswered, number, number, number, number, number, st.booleans(), seconds),
    st.builds(QuizSubmitted, number, number, number, hundredths, seconds),
    st.builds(CourseCompleted, number, number, number, seconds),
    st.builds(ClockObserved, number, st.integers(0, 1 << 41), number),
    st.builds(LearnerAdded, st.binary(min_size=32, max_size=32)),
    st.builds(ProfileChanged, number, st.binary(min_size=32, max_size=32)),
    st.builds(OperatorActed, number, number),
)
DEFAULTS = {3: 1, 7: 1, 11: 1, 15: 1, 19: 1}
"""Kind numbers whose last field an older device may leave out."""


@st.composite
def facts(draw: st.DrawFn) -> tuple[int, tuple[Field, ...]]:
    """As software of today writes it, or older (without the last field), or newer, or of an unknown kind."""
    if draw(st.integers(0, 9)) == 0:
        kind = draw(st.integers(500, 600))
        return kind, (*(draw(number) for _ in range(kind & 3)), draw(seconds))
    made = draw(kinds)
    fields = made.fields()
    if made.number in DEFAULTS and draw(st.integers(0, 4)) == 0:
        fields = fields[: -DEFAULTS[made.number]]
    elif draw(st.integers(0, 4)) == 0:
        fields += (draw(st.text(max_size=3, alphabet="abc")), draw(number))
    return made.number, fields


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    t, made = draw(st.integers(0, 1 << 40)), []
    for seq, (kind, fields) in enumerate(draw(st.lists(facts(), min_size=1, max_size=60))):
        t += draw(st.integers(0, 5000))
        made.append(Entry(seq, kind, t, fields))
    return made


Rows = dict[str, dict[tuple[int, ...], dict[str, int | None]]]


def model(entries: Iterable[Entry]) -> Rows:
    """What docs/protocol.md, section 11, says, entry by entry, in plain Python."""
    made: Rows = {"lesson_progress": {}, "course_progress": {}}
    for entry in entries:
        if entry.kind not in (3, 7, 11, 15, 19):
            continue
        learner, pack, lesson, *own = entry.fields
        assert type(learner) is type(pack) is type(lesson) is int
        spent = {3: 0, 7: 1, 11: 3, 15: 1, 19: 0}[entry.kind]
        row = made["lesson_progress"].setdefault(
            (learner, pack, lesson),
            {
                "openings": 0,
                "seconds": 0,
                "furthest": None,
                "answers": 0,
                "right_answers": 0,
                "attempts": 0,
                "best_score": None,
                "first_t": None,
                "last_t": None,
            },
        )
        add(row, "seconds", own[spent] if len(own) > spent else 0)
        add(row, "openings", entry.kind == 3)
        add(row, "answers", entry.kind == 11)
        add(row, "right_answers", entry.kind == 11 and own[2])
        add(row, "attempts", entry.kind == 15)
        keep(row, "first_t", entry.t, smallest=True)
        keep(row, "last_t", entry.t)
        if entry.kind == 7:
            keep(row, "furthest", own[0])
        if entry.kind == 15:
            keep(row, "best_score", own[0])
        if entry.kind == 19:
            course = made["course_progress"].setdefault(
                (learner, pack), {"completions": 0, "completed_t": None}
            )
            add(course, "completions", 1)
            keep(course, "completed_t", entry.t, smallest=True)
    return made


def add(row: dict[str, int | None], name: str, value: Field) -> None:
    row[name] = int(row[name] or 0) + int(value)


def keep(row: dict[str, int | None], name: str, value: Field, smallest: bool = False) -> None:
    old = row[name]
    new = int(value)
    row[name] = new if old is None else min(old, new) if smallest else max(old, new)


def as_rows(totals: Totals) -> Rows:
    return {
        row.name: {
            key: dict(zip(row.columns, finished(values, row), strict=True))
            for key, values in totals[row].items()
        }
        for row in ROWS
    }


def joined(parts: Iterable[Totals]) -> Totals:
    made: Totals = {row: {} for row in ROWS}
    for part in parts:
        for row, rows in part.items():
            for key, values in rows.items():
                join_totals(made[row], key, values, row)
    return made


def partition(entries: Sequence[Entry], rng: random.Random) -> list[list[Entry]]:
    cuts = sorted(rng.sample(range(1, len(entries)), rng.randint(0, len(entries) - 1)))
    return [
        list(entries[start:stop]) for start, stop in zip([0, *cuts], [*cuts, len(entries)], strict=True)
    ]


def through_a_segment(entries: Sequence[Entry]) -> Totals:
    codec, body = columns.encode(entries, entries[0].t)
    return fold(columns.decode(codec, body, entries[0].seq, len(entries)))


@LAWS
@given(logs())
def test_a_fold_is_what_plain_python_adds_up(entries: list[Entry]) -> None:
    assert as_rows(fold(batch_of(entries))) == model(entries)
    assert as_rows(through_a_segment(entries)) == model(entries)


@LAWS
@given(logs(), st.integers(0, 2**32))
def test_order_and_partition_make_no_difference(entries: list[Entry], seed: int) -> None:
    rng = random.Random(seed)
    parts = [through_a_segment(part) for part in partition(entries, rng)]
    rng.shuffle(parts)
    assert as_rows(joined(parts)) == model(entries)


@LAWS
@given(logs(), st.integers(0, 2**32))
def test_joining_is_associative(entries: list[Entry], seed: int) -> None:
    """Rows may be joined first among themselves, as a store does that holds some already."""
    rng = random.Random(seed)
    parts = [fold(batch_of(part)) for part in partition(entries, rng)]
    while len(parts) > 1:
        at = rng.randrange(len(parts) - 1)
        parts[at : at + 2] = [joined(parts[at : at + 2])]
    assert as_rows(joined(parts)) == model(entries)


@LAWS
@given(logs())
def test_joining_leaves_its_arguments_alone(entries: list[Entry]) -> None:
    part = fold(batch_of(entries))
    before = as_rows(part)
    joined([part, part, part])
    assert as_rows(part) == before


@settings(LAWS, max_examples=40)
@given(logs(), logs(), logs(), st.integers(0, 2**32))
def test_both_branches_of_a_fork_count_and_their_past_once(
    past: list[Entry], one: list[Entry], other: list[Entry], seed: int
) -> None:
    """Segments are a set by id: whatever arrives twice, by whatever road, is folded once."""
    rng = random.Random(seed)
    segments = {
        (branch, at): part
        for branch, entries in enumerate((past, one, other))
        for at, part in enumerate(partition(entries, rng))
    }
    arrivals = [*segments, *rng.choices(list(segments), k=5)]
    rng.shuffle(arrivals)
    seen: set[tuple[int, int]] = set()
    parts = []
    for name in arrivals:
        if name not in seen:
            seen.add(name)
            parts.append(through_a_segment(segments[name]))
    assert as_rows(joined(parts)) == model([*past, *one, *other])


def stored(parts: Iterable[Totals]) -> Rows:
    """What a real SQLite database holds after each part was written on its own."""
    db = sqlite3.connect(":memory:")
    for row in ROWS:
        db.execute(create_table(row))
    for part in parts:
        for row in ROWS:
            values = [(*key, *finished(values, row)) for key, values in part[row].items()]
            db.executemany(upsert(row, "sqlite", "?"), values)
    made: Rows = {}
    for row in ROWS:
        names = ", ".join([*row.key, *row.columns])
        width = len(row.key)
        made[row.name] = {
            tuple(found[:width]): dict(zip(row.columns, found[width:], strict=True))
            for found in db.execute(f"SELECT {names} FROM {row.name}")
        }
    db.close()
    return made


@LAWS
@given(logs(), st.integers(0, 2**32))
def test_a_database_arrives_at_the_same_rows(entries: list[Entry], seed: int) -> None:
    rng = random.Random(seed)
    parts = [fold(batch_of(part)) for part in partition(entries, rng)]
    rng.shuffle(parts)
    assert stored(parts) == model(entries)


def test_nothing_yet_is_not_zero() -> None:
    """Somebody who only opened a lesson has no best score, and not a score of 0."""
    opened = fold(batch_of([Entry(0, 3, 5, (0, 0, 1, 9))]))
    failed = fold(batch_of([Entry(1, 15, 6, (0, 0, 1, 0, 9))]))
    for parts in ([opened, failed], [failed, opened]):
        assert stored(parts)["lesson_progress"][0, 0, 1]["best_score"] == 0
    row = stored([opened, opened])["lesson_progress"][0, 0, 1]
    assert (row["openings"], row["best_score"], row["furthest"]) == (2, None, None)


@pytest.mark.parametrize("join", Join)
@given(values=st.lists(st.none() | st.integers(-5, 5), min_size=3, max_size=3))
def test_every_join_is_a_commutative_monoid(join: Join, values: list[int | None]) -> None:
    a, b, c = values
    assert join.pair(a, b) == join.pair(b, a)
    assert join.pair(join.pair(a, b), c) == join.pair(a, join.pair(b, c))
    assert join.pair(a, None) == a
    known = [value for value in values if value is not None]
    if known:
        assert join.of(known) == join.pair(join.pair(a, b), c)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (3, (0, 0, 1, "9")),
        (3, (0, 0, 1, True)),
        (7, (0, 0, 1)),
        (7, (0, 0, 1, b"")),
        (11, (0, 0, 1, 1, 1)),
        (11, (0, 0, 1, 1, 1, 1)),
        (15, (0, 0, 1)),
        (15, (0, 0, 1, 100, False)),
        (4, (0, 1)),
        (16, ("text",)),
    ],
    ids=repr,
)
def test_known_kinds_with_other_fields_are_refused(kind: int, fields: tuple[Field, ...]) -> None:
    good = Entry(0, 3, 5, (0, 0, 1, 9))
    with pytest.raises(MalformedError) as refusal:
        fold(batch_of([good, Entry(1, kind, 5, fields)]))
    assert "%(" not in refusal.value.sentence()


def test_an_unknown_kind_adds_nothing() -> None:
    """Not even one that has the references and the shape of a known one."""
    totals = fold(batch_of([Entry(0, 503, 5, (0, 0, 1, 9)), Entry(1, 703, 6, (0, 0, 1, "x"))]))
    assert totals == {LESSON_PROGRESS: {}, COURSE_PROGRESS: {}}


HOSTILE = {
    "one segment": [[INT_MAX, INT_MAX]],
    "two segments": [[INT_MAX], [INT_MAX]],
    "below": [[INT_MIN], [INT_MIN]],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_device_s_numbers_are_refused_or_stay_whole(name: str) -> None:
    """All its entries are valid on the wire. Merging its log must neither crash nor depend on batches."""
    parts, t = [], 0
    for spent in HOSTILE[name]:
        entries = [Entry(at, 3, t, (0, 0, 1, value)) for at, value in enumerate(spent)]
        try:
            parts.append(fold(batch_of(entries)))
        except MalformedError:
            return
    made = stored(parts)["lesson_progress"][0, 0, 1]["seconds"]
    assert type(made) is int, made

"""Activity as JSON lines: what is refused, what is known, who is who, and when it was. See docs/impor.md."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from desa import count, plain_node, rows, whole_log
from village import install_course, made_village

from bench import world
from bench.workload import events
from content_packs.manifest import Manifest
from node.activity import Played, Player
from node.courses import manifests
from node.errors import ActivityError
from node.recorder import Source
from node.wiring import Node
from sync.entries import (
    ClockObserved,
    CourseCompleted,
    LessonOpened,
    LessonProgressed,
    QuestionAnswered,
    QuizSubmitted,
)

ROOT = Path(__file__).parent.parent.parent

OPENED = {
    "id": "1",
    "at": "2026-03-02T08:00:00+07:00",
    "learner": "siti",
    "course": "kas-desa",
    "lesson": "buku-kas",
    "kind": "lesson_opened",
    "seconds": 30,
}
ANSWERED = OPENED | {"lesson": "tes-awal", "kind": "answer_given", "item": 1, "choice": 1, "correct": True}


def line(base: dict[str, Any] = OPENED, **changes: Any) -> bytes:
    """`base` with changes; None takes a key away."""
    return json.dumps({key: value for key, value in (base | changes).items() if value is not None}).encode()


def numbered(number: int, start: int = 0, **changes: Any) -> list[bytes]:
    """Lines with ids of their own, a minute apart."""
    return [
        line(id=str(at), at=f"2026-03-02T{8 + at // 60:02}:{at % 60:02}:00+07:00", **changes)
        for at in range(start, start + number)
    ]


def play(node: Node, *lines: bytes) -> Played:
    return Player(node.store, node.recorder, manifests(node)).play(lines)


def learned(node: Node) -> list[tuple[Any, ...]]:
    """What the village knows of everybody's progress; log times are the run's own and left out."""
    query = """SELECT external, pack, lesson, openings, seconds, furthest, answers, right_answers, attempts, best_score
               FROM lesson_progress p JOIN imported_learners i ON i.learner = p.learner ORDER BY 1, 2, 3"""
    return rows(node.store, query)


def test_each_kind_becomes_its_entry(tmp_path: Path) -> None:
    node = made_village(tmp_path)
    played = play(
        node,
        line(id="a"),
        line(id="b", kind="lesson_progress", progress=0.6, seconds=45),
        line(ANSWERED, id="c"),
        line(ANSWERED, id="d", kind="quiz_submitted", score=87.55, seconds=None),
        line(id="e", lesson="tes-akhir", kind="course_completed", seconds=5),
    )
    kinds = (LessonOpened, LessonProgressed, QuestionAnswered, QuizSubmitted, CourseCompleted)
    numbers = [kind.number for kind in kinds]
    made = [entry.fields for entry in whole_log(node) if entry.kind in numbers]
    assert made == [
        (0, 0, 2, 30),
        (0, 0, 2, 6000, 45),
        (0, 0, 1, 1, 1, True, 30),
        (0, 0, 1, 8755, 0),
        (0, 0, 3, 5),
    ]
    assert played == Played(lines=5, recorded=5, known=0, learners=1)


def test_a_file_read_twice_adds_nothing_twice(tmp_path: Path) -> None:
    node = made_village(tmp_path)
    lines = numbered(50)
    assert play(node, *lines, lines[0]) == Played(51, 50, 1, 1)
    before = node.recorder.counts(), learned(node)
    assert play(node, *lines) == Played(50, 0, 50, 0)
    assert (node.recorder.counts(), learned(node)) == before


def test_ids_that_look_alike_are_different(tmp_path: Path) -> None:
    """ "31" is not the text whose hexadecimal it would be: counted ids once lost lines this way."""
    node = made_village(tmp_path)
    ids = [
        "1",
        "31",
        "6x",
        "3678",
        "ab",
        "AB",
        "a b",
        "00",
        "0" * 32,
        "\0" * 16,
        *map(str, range(200, 400)),
    ]
    assert play(node, *(line(id=id_) for id_ in ids)).recorded == len(ids)
    assert play(node, *(line(id=id_) for id_ in ids)).known == len(ids)


def test_hexadecimal_ids_take_half_the_room(tmp_path: Path) -> None:
    node = made_village(tmp_path)
    play(node, line(id="0123456789abcdef" * 2), line(id="catatan pertama"))
    assert rows(node.store, "SELECT length(id) FROM imported ORDER BY 1") == [(16,), (32,)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (b"{", "Baris 3 tidak dapat dibaca"),
        (b"[]", "Baris 3 tidak dapat dibaca"),
        (b'{"id":"\xff"}', "Baris 3 tidak dapat dibaca"),
        (line(id=None), "Baris 3 tidak dapat dibaca"),
        (line(id=""), "Baris 3 tidak dapat dibaca"),
        (line(id="x" * 201), "Baris 3 tidak dapat dibaca"),
        (line(learner=""), "Baris 3 tidak dapat dibaca"),
        (line(at="kemarin"), "Baris 3 tidak dapat dibaca"),
        (line(at=1_772_413_200), "Baris 3 tidak dapat dibaca"),
        (line(at="2026-03-02T08:00:00"), "Baris 3: waktu harus menyebut zona"),
        (line(kind="slept"), "Baris 3 tidak dapat dibaca"),
        (line(seconds=-1), "Baris 3 tidak dapat dibaca"),
        (line(seconds=86_401), "Baris 3 tidak dapat dibaca"),
        (line(seconds=1.5), "Baris 3 tidak dapat dibaca"),
        (line(kind="lesson_progress"), "Baris 3: isian untuk lesson_progress tidak lengkap"),
        (line(kind="lesson_progress", progress=1.01), "Baris 3 tidak dapat dibaca"),
        (line(kind="quiz_submitted"), "Baris 3: isian untuk quiz_submitted tidak lengkap"),
        (line(kind="quiz_submitted", score=100.5), "Baris 3 tidak dapat dibaca"),
        (line(ANSWERED, item=None), "Baris 3: isian untuk answer_given tidak lengkap"),
        (line(ANSWERED, choice=None), "Baris 3: isian untuk answer_given tidak lengkap"),
        (line(ANSWERED, correct=None), "Baris 3: isian untuk answer_given tidak lengkap"),
        (line(ANSWERED, item=0), "Baris 3 tidak dapat dibaca"),
        (line(ANSWERED, item=3), "Baris 3: materi ini hanya punya 2 soal"),
        (line(ANSWERED, kind="lesson_progress"), "Baris 3: isian untuk lesson_progress tidak lengkap"),
        (line(ANSWERED, kind="quiz_submitted"), "Baris 3: isian untuk quiz_submitted tidak lengkap"),
        (line(course="kas-kota"), "Baris 3: pelatihan kas-kota dengan materi buku-kas belum dipasang"),
        (line(lesson="buku"), "Baris 3: pelatihan kas-desa dengan materi buku belum dipasang"),
        (line(note="x" * 4096), "Baris 3 terlalu panjang"),
    ],
)
def test_a_line_that_is_wrong_is_named_and_nothing_of_its_block_is_recorded(
    tmp_path: Path, wrong: bytes, said: str
) -> None:
    node = made_village(tmp_path)
    before = node.recorder.counts()
    with pytest.raises(ActivityError) as refusal:
        play(node, line(id="a"), b"\n", wrong, line(id="b", learner="budi"))
    assert refusal.value.sentence().startswith(said)
    assert refusal.value.exit_code == 2
    assert node.recorder.counts() == before
    assert count(node.store, "imported") == count(node.store, "learners") == 0


def test_blocks_before_the_wrong_line_stay_and_a_corrected_file_goes_on(tmp_path: Path) -> None:
    node = made_village(tmp_path)
    lines = [line(id=str(at)) for at in range(2100)]
    with pytest.raises(ActivityError, match="Baris 2051"):
        play(node, *lines[:2050], b"{", *lines[2051:])
    assert count(node.store, "imported") == 2000
    assert play(node, *lines) == Played(2100, 100, 2000, 0)


def test_empty_lines_are_skipped_and_unknown_keys_ignored(tmp_path: Path) -> None:
    node = made_village(tmp_path)
    assert play(node, b"\n", line(device="x", seq=4), b"  \r\n") == Played(1, 1, 0, 1)


def test_names_and_positions_come_from_the_first_line_of_a_person(tmp_path: Path) -> None:
    node = made_village(tmp_path, ("Siti Aminah", "Kepala Desa"))
    play(
        node,
        line(id="a", learner="9f3c2e1d7788", learner_name="  Siti   Aminah ", position="Kaur Keuangan"),
        line(id="b", learner="9f3c2e1d7788", learner_name="Nama Lain"),
        line(id="c", learner="budi-santoso"),
        line(id="d", learner="kosong", learner_name="  "),
    )
    play(node, line(id="e", learner="budi-santoso", learner_name="Budi Santoso"))
    people = rows(node.store, "SELECT name, position FROM learners ORDER BY number")
    assert people == [
        ("Siti Aminah", "Kepala Desa"),
        ("Siti Aminah", "Kaur Keuangan"),
        ("Peserta budi-san", ""),
        ("Peserta kosong", ""),
    ]


def test_of_two_versions_of_a_course_the_one_installed_last_is_meant(tmp_path: Path) -> None:
    node = made_village(tmp_path)
    [first] = manifests(node).values()
    second: Manifest = replace(first, version=2, lessons=first.lessons[:2])
    Player(node.store, node.recorder, {0: first, 1: second}).play(
        [line(id="a"), line(id="b", lesson="tes-akhir")]
    )
    assert rows(node.store, "SELECT pack, lesson FROM lesson_progress ORDER BY 1") == [(0, 3), (1, 2)]


def test_log_time_moves_with_the_lines_and_a_silence_means_that_the_laptop_was_off(tmp_path: Path) -> None:
    node = made_village(tmp_path)
    times = ["08:00:30", "08:10:00", "10:09:59", "12:10:00", "07:00:00"]
    play(node, *(line(id=at, at=f"2026-03-02T{at}+07:00") for at in times))
    log = whole_log(node)
    opened = [entry.t for entry in log if entry.kind == LessonOpened.number]
    steps = [after - before for before, after in pairwise(opened)]
    assert steps == [570_000, 7_199_000, 30_000, 30_000]
    noted = [ClockObserved.from_fields(entry.fields) for entry in log if entry.kind == ClockObserved.number]
    imported = [note.wall_ms for note in noted if note.source == Source.IMPORTED]
    assert imported == [1_772_413_200_000, 1_772_428_170_000, 1_772_409_570_000]
    assert [entry.t for entry in log] == sorted(entry.t for entry in log)


def test_the_example_in_the_manual_is_recorded_as_it_says(tmp_path: Path) -> None:
    manual = (ROOT / "docs" / "impor.md").read_text(encoding="utf-8")
    example = manual.partition("```json\n")[2].partition("```")[0].encode().splitlines()
    course = ROOT / "content_packs" / "demo" / "pengelolaan-keuangan-desa"
    node = plain_node(tmp_path / "data")
    texts = {path.name: path.read_text(encoding="utf-8") for path in course.iterdir() if path.is_file()}
    install_course(node, tmp_path, texts)
    assert play(node, *example) == Played(6, 6, 0, 1)
    assert play(node, *example) == Played(6, 0, 6, 0)
    assert node.recorder.counts().saved == 13
    node.close()


class UnpluggedError(Exception):
    """The power went while a file was being read."""


def cut_after(lines: list[bytes], number: int) -> Iterator[bytes]:
    yield from lines[:number]
    raise UnpluggedError


def test_a_run_that_was_cut_and_repeated_gives_what_one_run_gives(tmp_path: Path) -> None:
    lines = world.workload_lines(1, 2100)
    made = []
    for name, cuts in (("whole", []), ("cut", [1, 1000, 1001]), ("twice", [2099, 2099])):
        node = plain_node(tmp_path / name)
        world.install_catalogue(tmp_path / f"{name}-packs", node)
        for number in cuts:
            with pytest.raises(UnpluggedError):
                Player(node.store, node.recorder, manifests(node)).play(cut_after(lines, number))
        play(node, *lines)
        kinds = [(e.kind, e.fields[1:]) for e in whole_log(node) if e.kind & 3 == 3]
        made.append((learned(node), kinds, count(node.store, "imported"), count(node.store, "learners")))
        node.close()
    assert made[0] == made[1] == made[2]


def test_the_benchs_activity_is_counted_as_it_was_made(tmp_path: Path) -> None:
    node = plain_node(tmp_path / "data")
    world.install_catalogue(tmp_path / "packs", node)
    made = list(islice(events(3, 2500, 7), 2500))
    played = play(node, *(json.dumps(event).encode() for event in made))
    people = {event["learner"] for event in made}
    assert played == Played(2500, 2500, 0, len(people))
    kinds = Counter(event["kind"] for event in made)
    right = sum(event.get("correct", False) for event in made)
    seconds = sum(event["seconds"] for event in made)
    query = "SELECT sum(openings), sum(answers), sum(right_answers), sum(attempts), sum(seconds) FROM lesson_progress"
    sums = (kinds["lesson_opened"], kinds["answer_given"], right, kinds["quiz_submitted"], seconds)
    assert rows(node.store, query) == [sums]
    completions = rows(node.store, "SELECT coalesce(sum(completions), 0) FROM course_progress")
    assert completions == [(kinds["course_completed"],)]
    node.close()

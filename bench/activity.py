"""Learner activity on real courses, in the import format of `lontar node record`: for the demonstration.

People open lessons, read on, answer the questions that the course really has, and complete it; everybody is
fictional. Deterministic for (manifest, count, end, seed).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from content_packs.store import InstalledPack

PEOPLE: Final = (
    ("Ratna Dewi", "Kepala Desa"),
    ("Darman Saputra", "Sekretaris Desa"),
    ("Sari Wulandari", "Kaur Keuangan"),
    ("Yusuf Hidayat", "Kaur Perencanaan"),
    ("Lestari Ningsih", "Kaur Tata Usaha dan Umum"),
    ("Bambang Irawan", "Kasi Pemerintahan"),
    ("Nur Aini", "Kasi Kesejahteraan"),
    ("Hendra Gunawan", "Kasi Pelayanan"),
    ("Marlina Sitorus", "Kepala Dusun"),
    ("Agus Salim", "Kepala Dusun"),
    ("Tuti Handayani", "Kepala Dusun"),
    ("Rahmat Kurnia", "Ketua BPD"),
    ("Dewi Anggraini", "Anggota BPD"),
    ("Joko Prasetyo", "Anggota BPD"),
    ("Fitri Yani", "Anggota BPD"),
    ("Syafrudin", "Anggota BPD"),
    ("Endang Susilowati", "Anggota BPD"),
    ("Mulyadi", "Operator Desa"),
    ("Siti Rohani", "Pengurus PKK"),
    ("Ahmad Fauzi", "Karang Taruna"),
)
_PASS: Final = 70


def lines(pack: InstalledPack, count: int, end: datetime, seed: int = 2026) -> list[dict[str, Any]]:
    """`count` lines, oldest first, of which the last happened at `end`."""
    made = list(islice(_stream(pack, random.Random(seed)), count))
    later = end - made[-1]["at"]
    return [{**line, "at": (line["at"] + later).isoformat(timespec="milliseconds")} for line in made]


def _stream(pack: InstalledPack, rng: random.Random) -> Iterator[dict[str, Any]]:
    clock = datetime(2026, 10, 5, 1, 0, tzinfo=UTC)
    skill = [0.55 + 0.4 * rng.random() for _ in PEOPLE]
    place = [1] * len(PEOPLE)
    while True:
        who = rng.randrange(len(PEOPLE))
        for entry in _visit(pack, place[who], skill[who], rng):
            clock += timedelta(seconds=entry["seconds"], milliseconds=rng.randrange(1000))
            name, position = PEOPLE[who]
            yield {
                "id": f"{rng.getrandbits(128):032x}",
                "at": clock,
                "learner": f"peserta-{who + 1}",
                "learner_name": name,
                "position": position,
                "course": pack.manifest.course_id,
                **entry,
            }
            if entry.get("score", 100) < _PASS and pack.manifest.lessons[place[who] - 1].role == "posttest":
                break
        else:
            place[who] = place[who] % len(pack.manifest.lessons) + 1
        skill[who] = min(0.97, skill[who] + 0.01)
        if rng.random() < 0.25:
            clock += timedelta(hours=rng.randint(4, 30))


def _visit(pack: InstalledPack, number: int, skill: float, rng: random.Random) -> Iterator[dict[str, Any]]:
    lesson = pack.manifest.lessons[number - 1]
    content = pack.lesson(number)

    def entry(kind: str, **more: object) -> dict[str, Any]:
        seconds = min(900, 1 + int(rng.expovariate(1 / 45)))
        return {"lesson": lesson.id, "kind": kind, "seconds": seconds, **more}

    yield entry("lesson_opened")
    reached = 0
    while lesson.role == "lesson" and reached < 100:
        reached = min(100, reached + rng.randint(25, 50))
        yield entry("lesson_progress", progress=reached / 100)
    right = 0
    for question in content.questions:
        correct = rng.random() < (skill - 0.2 if lesson.role == "pretest" else skill)
        right += correct
        (right_one,) = question.right
        wrong = rng.choice([at for at in range(len(question.choices)) if at != right_one])
        choice = right_one if correct else wrong
        yield entry("answer_given", item=question.number, choice=choice, correct=correct)
    if content.questions:
        score = 10_000 * right // len(content.questions) / 100
        yield entry("quiz_submitted", score=score)
        if lesson.role == "posttest" and score >= _PASS:
            yield entry("course_completed")

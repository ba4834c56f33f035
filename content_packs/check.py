"""What an author should look at before publishing a course: nothing here keeps a pack from being built.

What must be mended is told by `build`; this tells what would make the course worse for a village: no explanation, no legal
basis, a picture that says nothing to those who hear the page, a film that takes a day on a weak signal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from content_packs import render
from content_packs.build import lesson_paths, read_course
from content_packs.source import SourceLesson, read_lesson
from sync.errors import N_

PICTURE_MOST: Final = 300_000
FILM_MOST: Final = 30_000_000
READING_MOST: Final = 12_000
"""Characters of one reading: some twenty minutes."""
REVIEW_AFTER: Final = timedelta(days=730)
SLOW_BYTES_S: Final = 4096
_FILMS: Final = (".mp4", ".webm")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at: the file, a sentence to be translated, and what fills its places."""

    file: str
    text: str
    details: dict[str, object]


def check(folder: Path, today: date) -> list[Finding]:
    """Everything worth looking at in a course folder, in the order of its lessons.

    Raises:
        PackError: the folder can't be built at all; that comes first.
    """
    course = read_course(folder)
    lessons = [read_lesson(path, bool(course["general"])) for path in lesson_paths(folder)]
    found = [finding for lesson in lessons for finding in _of_lesson(folder, lesson, today)]
    roles = [lesson.role for lesson in lessons]
    for role, text in (
        ("pretest", N_("Tidak ada tes awal: kemajuan peserta tidak dapat dibandingkan.")),
        ("posttest", N_("Tidak ada tes akhir: pelatihan selesai tanpa diuji.")),
    ):
        if role not in roles:
            found.append(Finding("course.toml", text, {}))
    return found


def _of_lesson(folder: Path, lesson: SourceLesson, today: date) -> Iterator[Finding]:
    file = lesson.path.name
    if lesson.role == "lesson" and not lesson.legal_basis:
        yield Finding(file, N_("Tidak menyebut dasar hukum (legal_basis)."), {})
    if lesson.role == "lesson" and not lesson.reviewed:
        yield Finding(file, N_("Tidak menyebut kapan ditinjau (reviewed)."), {})
    elif lesson.reviewed and today - date.fromisoformat(lesson.reviewed) > REVIEW_AFTER:
        yield Finding(
            file, N_("Terakhir ditinjau %(date)s: tinjau lagi dasar hukumnya."), {"date": lesson.reviewed}
        )
    if not lesson.minutes and not lesson.player:
        yield Finding(file, N_("Tidak menyebut berapa menit (minutes)."), {})
    if len(lesson.reading) > READING_MOST:
        yield Finding(
            file,
            N_("Bacaannya panjang (%(count)s huruf): bagilah menjadi dua materi."),
            {"count": len(lesson.reading)},
        )
    for question in lesson.questions:
        if not question.explanation:
            yield Finding(file, N_("Soal [%(id)s] tidak punya penjelasan."), {"id": question.id})
    yield from _of_media(folder, lesson)


def _of_media(folder: Path, lesson: SourceLesson) -> Iterator[Finding]:
    file = lesson.path.name
    html = render.clean(lesson.reading) if lesson.is_html else render.to_html(lesson.reading)
    for name, alternative in render.media_in(html):
        if not alternative:
            yield Finding(
                file,
                N_("%(name)s tidak punya teks pengganti: yang mendengarkan halaman tidak tahu isinya."),
                {"name": name},
            )
        path = folder / name
        if not path.is_file():
            continue
        size, is_film = path.stat().st_size, path.suffix in _FILMS
        if size > (FILM_MOST if is_film else PICTURE_MOST):
            yield Finding(
                file,
                N_("%(name)s besar (%(size)s KB): %(minutes)s menit dengan sinyal lemah. Kecilkan dulu."),
                {"name": name, "size": size // 1000, "minutes": size // SLOW_BYTES_S // 60},
            )
        if is_film and not path.with_suffix(".vtt").is_file():
            yield Finding(
                file,
                N_("%(name)s tidak punya teks terjemahan (%(subtitles)s)."),
                {"name": name, "subtitles": path.with_suffix(".vtt").name},
            )

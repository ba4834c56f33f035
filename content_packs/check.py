"""What an author should look at before publishing a course: nothing here keeps a pack from being built.

What must be mended is told by `build`; this tells what would make the course worse for a village: no explanation, no legal
basis, a picture that says nothing to those who hear the page, a film that takes a day on a weak signal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from content_packs import render
from content_packs.build import lesson_paths, read_course
from content_packs.outline import Lesson
from content_packs.source import SourceLesson, read_lesson
from content_packs.store import InstalledPack
from sync.errors import N_

PICTURE_MOST: Final = 300_000
FILM_MOST: Final = 30_000_000
READING_MOST: Final = 12_000
"""Characters of one reading: some twenty minutes."""
REVIEW_AFTER: Final = timedelta(days=730)
SLOW_BYTES_S: Final = 4096
_FILMS: Final = (".mp4", ".webm")
_TAGS: Final = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at: the file, a sentence to be translated, and what fills its places."""

    file: str
    text: str
    details: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Looked:
    """A lesson as it is looked at, whether it lies in a folder or in a pack. `sizes` are those of the files it may show."""

    file: str
    role: str
    legal_basis: tuple[str, ...]
    reviewed: str
    minutes: int
    is_played: bool
    html: str
    questions: tuple[tuple[str, str], ...]
    """(id, explanation)"""
    sizes: Mapping[str, int]


def check(folder: Path, today: date) -> list[Finding]:
    """Everything worth looking at in a course folder, in the order of its lessons.

    Raises:
        PackError: the folder can't be built at all; that comes first.
    """
    course = read_course(folder)
    lessons = [read_lesson(path, bool(course["general"])) for path in lesson_paths(folder)]
    sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    return _found([_of_source(lesson, sizes) for lesson in lessons], today)


def check_pack(pack: InstalledPack, today: date) -> list[Finding]:
    """The same of an installed pack; lessons are named by their titles.

    Raises:
        PackError: a lesson is lost or damaged.
    """
    sizes = {file.path: file.size for file in pack.manifest.files}
    lessons = [_of_pack(pack, lesson, sizes) for lesson in pack.manifest.lessons]
    return _found(lessons, today)


def _of_source(lesson: SourceLesson, sizes: Mapping[str, int]) -> _Looked:
    html = render.clean(lesson.reading) if lesson.is_html else render.to_html(lesson.reading)
    questions = tuple((question.id, question.explanation) for question in lesson.questions)
    told = (lesson.role, tuple(lesson.legal_basis), lesson.reviewed, lesson.minutes, bool(lesson.player))
    return _Looked(lesson.path.name, *told, html, questions, sizes)


def _of_pack(pack: InstalledPack, lesson: Lesson, sizes: Mapping[str, int]) -> _Looked:
    content = pack.lesson(lesson.number)
    questions = tuple((question.id, question.explanation) for question in content.questions)
    told = (lesson.role, lesson.legal_basis, lesson.reviewed, lesson.minutes, bool(lesson.player))
    return _Looked(lesson.title, *told, content.html, questions, sizes)


def _found(lessons: list[_Looked], today: date) -> list[Finding]:
    found = [finding for lesson in lessons for finding in _of_lesson(lesson, today)]
    roles = [lesson.role for lesson in lessons]
    for role, text in (
        ("pretest", N_("Tidak ada tes awal: kemajuan peserta tidak dapat dibandingkan.")),
        ("posttest", N_("Tidak ada tes akhir: pelatihan selesai tanpa diuji.")),
    ):
        if role not in roles:
            found.append(Finding("course.toml", text, {}))
    return found


def _of_lesson(lesson: _Looked, today: date) -> Iterator[Finding]:
    file = lesson.file
    if lesson.role == "lesson" and not lesson.legal_basis:
        yield Finding(file, N_("Tidak menyebut dasar hukum (legal_basis)."), {})
    if lesson.role == "lesson" and not lesson.reviewed:
        yield Finding(file, N_("Tidak menyebut kapan ditinjau (reviewed)."), {})
    elif lesson.reviewed and today - date.fromisoformat(lesson.reviewed) > REVIEW_AFTER:
        yield Finding(
            file, N_("Terakhir ditinjau %(date)s: tinjau lagi dasar hukumnya."), {"date": lesson.reviewed}
        )
    if not lesson.minutes and not lesson.is_played:
        yield Finding(file, N_("Tidak menyebut berapa menit (minutes)."), {})
    length = len(_TAGS.sub("", lesson.html).strip())
    if length > READING_MOST:
        yield Finding(
            file,
            N_("Bacaannya panjang (%(count)s huruf): bagilah menjadi dua materi."),
            {"count": length},
        )
    for id_, explanation in lesson.questions:
        if not explanation:
            yield Finding(file, N_("Soal [%(id)s] tidak punya penjelasan."), {"id": id_})
    yield from _of_media(lesson)


def _of_media(lesson: _Looked) -> Iterator[Finding]:
    for name, alternative in render.media_in(lesson.html):
        if not alternative:
            yield Finding(
                lesson.file,
                N_("%(name)s tidak punya teks pengganti: yang mendengarkan halaman tidak tahu isinya."),
                {"name": name},
            )
        size, is_film = lesson.sizes.get(name, 0), name.endswith(_FILMS)
        if size > (FILM_MOST if is_film else PICTURE_MOST):
            yield Finding(
                lesson.file,
                N_("%(name)s besar (%(size)s KB): %(minutes)s menit dengan sinyal lemah. Kecilkan dulu."),
                {"name": name, "size": size // 1000, "minutes": size // SLOW_BYTES_S // 60},
            )
        subtitles = name.rpartition(".")[0] + ".vtt"
        if size and is_film and subtitles not in lesson.sizes:
            yield Finding(
                lesson.file,
                N_("%(name)s tidak punya teks terjemahan (%(subtitles)s)."),
                {"name": name, "subtitles": subtitles},
            )

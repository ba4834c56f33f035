"""From a draft to a course folder: files that an author can read, change and build, and that say what they came from."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from content_packs.errors import PackError
from content_packs.importers.archive import safe_path
from content_packs.importers.draft import Draft, DraftLesson, DraftQuestion
from content_packs.outline import PATH
from content_packs.source_questions import TABLES
from sync.errors import N_

_SLUG_MOST: Final = 50
_NAME_MOST: Final = 255
"""Bytes that a file system takes for the name of one file or folder."""


def write_folder(
    draft: Draft, folder: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Path]:
    """Write a course folder; returns its files. Nothing that is there is ever written over.

    `progress` is told (media written, media in all): pages of a PDF are only drawn now.

    Raises:
        PackError: the folder isn't empty, the draft holds nothing to learn, or files no folder can hold.
    """
    if folder.exists() and any(folder.iterdir()):
        raise PackError(
            N_("Folder %(folder)s tidak kosong. Pilih folder lain; tidak ada yang ditimpa."), folder=folder
        )
    lessons = [lesson for lesson in draft.lessons if lesson.html or lesson.questions or lesson.activity]
    if not lessons:
        raise PackError(N_("Tidak ada yang dapat dipelajari dalam berkas ini."))
    for lesson in lessons:
        _check_names(lesson.activity.files if lesson.activity else ())
    folder.mkdir(parents=True, exist_ok=True)
    made = [folder / "course.toml"]
    made[0].write_text(_course(draft), encoding="utf-8")
    width = max(2, len(str(len(lessons))))
    taken: set[str] = set()
    activities: dict[int, str] = {}
    for number, lesson in enumerate(lessons, start=1):
        id_ = unique_slug(lesson.id or lesson.title, taken, "materi")
        stem = folder / f"{number:0{width}}-{id_}"
        if lesson.activity is not None:
            files = lesson.activity.files
            if id(files) not in activities:
                # Several lessons may start in one and the same package.
                activities[id(files)] = f"{id_}-isi"
                made += _write_activity(lesson, folder / activities[id(files)])
            head = _head(lesson, id_, activities[id(files)])
        else:
            head = _head(lesson, id_, "")
        made.append(stem.with_name(f"{stem.name}.html"))
        made[-1].write_text(head + lesson.html.strip() + "\n", encoding="utf-8")
        if lesson.questions:
            made.append(stem.with_name(stem.name + TABLES))
            made[-1].write_text(_tables(lesson.questions), encoding="utf-8")
    for done, (name, read) in enumerate(sorted(draft.media.items()), start=1):
        if not PATH.fullmatch(name):
            raise PackError(N_("Nama berkas %(name)s tidak dapat dipakai dalam paket."), name=name[:80])
        made.append(folder / name)
        made[-1].write_bytes(read())
        progress(done, len(draft.media))
    return made


def slug(text: str, otherwise: str) -> str:
    """An id made of a text: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_SLUG_MOST].strip("-")
    return made or otherwise


def unique_slug(text: str, taken: set[str], otherwise: str) -> str:
    """As `slug`, and none of those that are taken, which it joins."""
    base = slug(text, otherwise)
    made, number = base, 2
    while made in taken:
        made, number = f"{base}-{number}", number + 1
    taken.add(made)
    return made


def _course(draft: Draft) -> str:
    return _toml(
        {
            "id": slug(draft.id or draft.title, "pelatihan"),
            "title": draft.title.strip() or "Pelatihan",
            "version": 1,
            "language": draft.language,
            "summary": draft.summary,
            "publisher": draft.publisher,
            "passing_grade": draft.passing_grade,
            "attempts": draft.attempts,
            # Whoever knows on which law it stands says so in the lessons, and takes this out.
            "general": True,
        }
    )


def _head(lesson: DraftLesson, id_: str, activity: str) -> str:
    values: dict[str, object] = {"id": id_, "title": lesson.title.strip() or id_, "role": lesson.role}
    if lesson.minutes:
        values["minutes"] = lesson.minutes
    if lesson.module:
        values["module"] = lesson.module
    if lesson.activity is not None:
        values |= {
            "player": lesson.activity.player,
            "activity": activity,
            "entry": lesson.activity.entry,
        }
    return f"+++\n{_toml(values)}+++\n"


def _tables(questions: Iterable[DraftQuestion]) -> str:
    taken: set[str] = set()
    made = []
    for question in questions:
        values: dict[str, object] = {
            "id": unique_slug(question.id, taken, "soal"),
            "kind": question.kind.name.lower(),
            "text": question.text,
        }
        for name in ("choices", "right", "targets", "accepted"):
            if getattr(question, name):
                values[name] = list(getattr(question, name))
        if question.explanation:
            values["explanation"] = question.explanation
        made.append(f"[[question]]\n{_toml(values)}")
    return "\n".join(made)


def _check_names(names: Collection[str]) -> None:
    """Refuse what can't be written, before anything is; archives may hold a file and a folder of one name."""
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    for name in names:
        is_long = any(len(part.encode()) > _NAME_MOST for part in name.split("/"))
        if safe_path(name) != name or is_long or name in folders:
            raise PackError(N_("Nama berkas %(name)s tidak dapat dipakai dalam paket."), name=name[:80])


def _write_activity(lesson: DraftLesson, folder: Path) -> list[Path]:
    made = []
    for name, read in sorted(lesson.activity.files.items() if lesson.activity else ()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(read())
        made.append(path)
    return made


def _toml(values: dict[str, object]) -> str:
    """Texts, numbers, booleans and lists of them as TOML; a JSON text is a TOML text but for the delete character."""
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "".join(f"{line}\n" for line in lines).replace("\x7f", "\\u007f")

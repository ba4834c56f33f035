"""The files that an imported course shows, each under a name that packs allow and that no other file has.

What a lesson can show is decided by `packing.MEDIA`; everything else is counted as left out. Files are read when the course
folder is written; one that is named twice is kept once.
"""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
import unicodedata
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from html import escape
from pathlib import PurePosixPath
from typing import Final

from content_packs.importers.draft import DraftLesson
from content_packs.importers.tally import Tally
from content_packs.packing import MEDIA
from sync.errors import N_

_STEM_MOST: Final = 80
_IN_MEMORY: Final = 64 * 1024 * 1024
_SHOWN: Final = {ending: type_ for ending, type_ in MEDIA.items() if ending != ".vtt"}
_ENDINGS: Final = {type_: ending for ending, type_ in reversed(_SHOWN.items())}
_SHOWN_AS: Final = re.compile(r'src="media:([a-z0-9._-]+)"')
_IN_TEXT: Final = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a source names. `key` is the same for the same content; without `read` the file isn't there."""

    name: str
    key: Hashable
    read: Callable[[], bytes] | None
    media_type: str = ""


class Media:
    """Collects files for `Draft.media`; one that is closed takes none."""

    def __init__(self, tally: Tally, is_closed: bool = False) -> None:
        self.files: dict[str, Callable[[], bytes]] = {}
        self._tally = tally
        self._is_closed = is_closed
        self._known: dict[Hashable, str] = {}
        self._numbers: dict[str, int] = {}

    def add(self, file: SourceFile) -> str:
        """The name under which lessons show a file; empty if they can't."""
        if file.key not in self._known:
            self._known[file.key] = self._added(file)
        return self._known[file.key]

    def add_subtitles(self, video: str, file: SourceFile) -> None:
        """Add the subtitles of a video, which are known by its name."""
        name = video.rpartition(".")[0] + ".vtt"
        if file.read is None or not file.name.lower().endswith(".vtt"):
            self._tally.leave_out(N_("Teks terjemahan (subtitle) yang bukan WebVTT: %(count)s."))
        elif name not in self.files:
            self.files[name] = file.read

    def used_in(self, lessons: Iterable[DraftLesson]) -> dict[str, Callable[[], bytes]]:
        """The files that lessons show; those of questions that were left out stay behind."""
        used: set[str] = set()
        for lesson in lessons:
            used.update(_SHOWN_AS.findall(lesson.html))
            for question in lesson.questions:
                texts = (question.text, question.explanation, *question.choices, *question.targets)
                used.update(name for text in texts for name in _SHOWN_AS.findall(text))
        used |= {name.rpartition(".")[0] + ".vtt" for name in used}
        return {name: read for name, read in self.files.items() if name in used}

    def _added(self, file: SourceFile) -> str:
        if file.read is None:
            self._tally.leave_out(
                N_("Berkas yang disebut tetapi tidak ada dalam sumbernya: %(count)s."), example=file.name
            )
            return ""
        if self._is_closed:
            self._tally.leave_out(N_("Gambar di dalam soal yang tidak dibawa: %(count)s."))
            return ""
        ending = PurePosixPath(file.name.lower()).suffix
        if ending not in _SHOWN:
            kind = ending.lstrip(".")[:12]
            ending = "" if kind else _ENDINGS.get(file.media_type.lower(), "")
            if not ending:
                self._tally.leave_out(
                    N_("Berkas jenis %(kind)s, yang tidak dapat ditampilkan materi: %(count)s."),
                    example=file.name,
                    kind=kind or "?",
                )
                return ""
        name = self._free(file.name, ending)
        self.files[name] = file.read
        return name

    def _free(self, file: str, ending: str) -> str:
        stem = PurePosixPath(file).name
        stem = stem[: -len(ending)] if stem.lower().endswith(ending) else stem
        plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_STEM_MOST].strip("-") or "berkas"
        number = self._numbers.get(base, 1)
        name = f"{base}{ending}" if number == 1 else f"{base}-{number}{ending}"
        while self._is_taken(name):
            number += 1
            name = f"{base}-{number}{ending}"
        self._numbers[base] = number + 1
        return name

    def _is_taken(self, name: str) -> bool:
        # Subtitles are known by the name of their video.
        return name in self.files or name.rpartition(".")[0] + ".vtt" in self.files


def in_text(address: str) -> SourceFile | None:
    """The picture that stands as base64 in an address itself; None if there is none."""
    found = _IN_TEXT.match(address)
    if found is None:
        return None
    content = decoded(address[found.end() :])
    return SourceFile("gambar", address, (lambda: content) if content else None, found[1])


def decoded(text: str) -> bytes:
    """Bytes of base64; none if it isn't any."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def kept(files: dict[str, Callable[[], bytes]]) -> dict[str, Callable[[], bytes]]:
    """The same files, which can still be read when their archive is closed: large ones lie in a nameless file.

    To open a tar.gz once for each file would unpack all of it as often.
    """
    spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115

    def reader(start: int, size: int) -> Callable[[], bytes]:
        def read() -> bytes:
            spool.seek(start)
            return spool.read(size)

        return read

    made: dict[str, Callable[[], bytes]] = {}
    for name, read in files.items():
        content = read()
        start = spool.seek(0, 2)
        spool.write(content)
        made[name] = reader(start, len(content))
    return made


def shown(media: Media, files: Iterable[SourceFile], said_of: str = "") -> str:
    """HTML that shows files, each in a paragraph, with their names as their alternative text."""
    made = []
    for file in files:
        name = media.add(file)
        if name:
            made.append(f'<p><img src="media:{name}" alt="{escape(said_of or file.name)}"></p>')
    return "\n".join(made)

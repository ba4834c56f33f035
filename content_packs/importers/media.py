"""Films and sound: one file, or a folder of them, each a lesson; subtitles lie beside it under the same name.

What a file is, its first bytes say and not its name. What browsers can't play is named with the format to convert it to.
Sources: ISO 14496-12, RFC 3533 (Ogg), RFC 9559 (Matroska), ISO 11172-3 (MP3), WebVTT.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from content_packs.errors import PackError
from content_packs.importers.archive import MEMBER_MOST
from content_packs.importers.bank import check_count, title_of
from content_packs.importers.draft import Draft, DraftLesson
from content_packs.importers.media_files import Media, SourceFile, shown
from content_packs.importers.tally import Tally
from content_packs.importers.texts import text_of_page
from sync.errors import N_

FILES_MOST: Final = 2_000
SUBTITLES_MOST: Final = 2 * 1024 * 1024

_SNIFFED: Final = 4096
_MOOV_MOST: Final = 64 * 1024 * 1024
_BOXES_MOST: Final = 10_000
_SUBTITLES: Final = (".vtt", ".srt")
_FILMS: Final = (".mp4", ".webm")
_MP4: Final = (
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"dash",
    b"M4V ",
    b"MSNV",
)
_SOUND_ONLY: Final = (b"M4A ", b"M4B ")
_MP3: Final = re.compile(rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][^\xf0-\xff]", re.DOTALL)
_TIME: Final = re.compile(
    r"^\s*(\d{1,3}:)?(\d\d?:\d\d)[,.](\d{1,3})\s*-->\s*(\d{1,3}:)?(\d\d?:\d\d)[,.](\d{1,3})"
)
_STYLE: Final = re.compile(r"</?font\b[^>]*>|\{\\[^}]*\}", re.IGNORECASE)


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: there is no film or sound that lessons can play.
    """
    tally = Tally()
    media = Media(tally)
    root = path if path.is_dir() else path.parent
    files = _files(path) if path.is_dir() else [path]
    found = [(file, kind_of(file)) for file in files]
    played = [(file, kind) for file, kind in found if kind.ending]
    if not path.is_dir() and not played:
        raise PackError(
            N_(
                "%(file)s bukan film atau suara yang dapat diputar. Ubah dulu menjadi MP4 (H.264) atau MP3."
            ),
            file=path.name,
        )
    if not played:
        raise PackError(N_("%(file)s tidak berisi bahan yang dapat dipelajari di sini."), file=path.name)
    check_count(path, len(played))
    taken: set[Path] = set()
    lessons = []
    for file, kind in played:
        title = title_of(file)
        source = SourceFile(f"{file.stem}{kind.ending}", file, file.read_bytes)
        html = shown(media, [source], title)
        name = media.add(source)
        subtitles = _beside(file)
        taken |= {file, *subtitles}
        _add_subtitles(media, name, subtitles, tally)
        inside = file.relative_to(root).parts[:-1]
        lessons.append(DraftLesson(title, html, module=title_of(Path(inside[0])) if inside else ""))
        is_film = kind.ending in _FILMS
        tally.take(N_("Film: %(count)s.") if is_film else N_("Suara: %(count)s."))
        if kind.is_modern:
            tally.change(
                N_(
                    "Film dengan HEVC atau AV1, yang tidak diputar laptop lama; ubah menjadi H.264: %(count)s."
                ),
                example=file.name,
            )
    for file, kind in found:
        if file not in taken:
            tally.leave_out(
                N_("Berkas yang bukan film atau suara yang dapat diputar: %(count)s.")
                if not kind.is_film
                else N_(
                    "Film yang rusak atau tidak diputar peramban; ubah menjadi MP4 (H.264): %(count)s."
                ),
                example=file.name,
            )
    return Draft(title_of(path), lessons, media.files, report=tally.report())


def recognises(path: Path) -> bool:
    try:
        files = _files(path) if path.is_dir() and not (path / "course.toml").exists() else [path]
        return any(kind_of(file).ending for file in files)
    except (PackError, OSError):
        return False


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is. `ending` is the one that packs know it by, empty for what can't be played."""

    ending: str = ""
    is_film: bool = False
    is_modern: bool = False
    """A film in a coding that browsers of old laptops don't know."""


def kind_of(path: Path) -> Kind:
    """What a file is by its bytes. Never raises."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(_SNIFFED)
    except OSError:
        return Kind()
    if start[4:8] == b"ftyp":
        return _kind_of_mp4(path, start) if size <= MEMBER_MOST else Kind(is_film=True)
    if start.startswith(b"\x1a\x45\xdf\xa3"):
        # The codings of its tracks stand at its beginning too.
        is_webm = b"webm" in start[:64] and size <= MEMBER_MOST
        return Kind(".webm" if is_webm else "", True, b"V_AV1" in start)
    if start[4:12] in (b"moov", b"mdat", b"wide", b"free") or start[8:12] == b"AVI ":
        return Kind(is_film=True)
    if size > MEMBER_MOST:
        return Kind()
    if start.startswith(b"OggS"):
        return Kind(is_film=True) if b"\x80theora" in start else Kind(".ogg")
    if start.startswith(b"RIFF") and start[8:12] == b"WAVE":
        return Kind(".wav")
    return Kind(".mp3") if _MP3.match(start) else Kind()


def webvtt(text: str) -> str:
    """Subtitles as WebVTT, from SubRip or WebVTT; nothing if there is no line to show."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n")
    if not any(_TIME.match(line) for line in lines):
        return ""
    if lines[0].startswith("WEBVTT"):
        return "\n".join(lines)
    made = ["WEBVTT", ""]
    for line in lines:
        found = _TIME.match(line)
        if found:
            start, end = _moment(*found.groups()[:3]), _moment(*found.groups()[3:])
            made.append(f"{start} --> {end}")
        else:
            # An arrow in a line would end the cue.
            made.append(_STYLE.sub("", line).replace("-->", "→"))
    return "\n".join(made).strip() + "\n"


def _moment(hours: str | None, rest: str, fraction: str) -> str:
    minutes, seconds = rest.split(":")
    return f"{(hours or '00:').rjust(3, '0')}{minutes:0>2}:{seconds}.{fraction.ljust(3, '0')}"


def _kind_of_mp4(path: Path, start: bytes) -> Kind:
    brands = (start[8:12], *(start[at : at + 4] for at in range(16, min(64, int.from_bytes(start[:4])), 4)))
    if start[8:12] in _SOUND_ONLY or path.suffix.lower() in (".m4a", ".m4b"):
        return Kind(".m4a" if _moov(path) else "")
    if not any(brand in _MP4 for brand in brands):
        return Kind(is_film=start[8:12] in (b"qt  ", b"3gp4", b"3gp5"))
    moov = _moov(path)
    if not moov:
        return Kind(is_film=True)
    if b"vide" not in moov:
        return Kind(".m4a")
    return Kind(".mp4", True, any(coding in moov for coding in (b"hvc1", b"hev1", b"av01")))


def _moov(path: Path) -> bytes:
    """The index of an MP4; nothing for one that was cut off, or is damaged."""
    moov = b""
    try:
        end = path.stat().st_size
        with path.open("rb") as file:
            for _ in range(_BOXES_MOST):
                start, head = file.tell(), file.read(8)
                size, name, length = int.from_bytes(head[:4]), head[4:], 8
                if size == 1:
                    size, length = int.from_bytes(file.read(8)), 16
                size = size or end - start
                if name in (b"moov", b"mdat") and start + size > end:
                    return b""
                if len(head) < 8 or size < length:
                    return moov
                if name == b"moov":
                    moov = file.read(min(size - length, _MOOV_MOST))
                file.seek(start + size)
    except (OSError, OverflowError, ValueError):
        return b""
    return moov


def _files(folder: Path) -> list[Path]:
    """The files of a folder and of those in it, as people number them; links are not followed."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found.append(path)
        if len(found) > FILES_MOST:
            raise PackError(N_("%(file)s terlalu besar."), file=folder.name)
    return sorted(found, key=lambda path: [_numbered(part) for part in path.relative_to(folder).parts])


def _numbered(name: str) -> list[tuple[int, str]]:
    """`2 kas` comes before `10 rapat`."""
    parts: Iterator[str] = iter(re.split(r"(\d{1,9})", name.lower()))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _beside(file: Path) -> list[Path]:
    """Subtitles of the same name, the best first; those of a language (`kas.id.srt`) after."""
    try:
        others = sorted(file.parent.iterdir())
    except OSError:
        return []
    named = re.compile(re.escape(file.stem.lower()) + r"(?:\.[a-z]{2,3}(?:-[a-z]{2})?)?")
    fit = [
        one
        for one in others
        if one.suffix.lower() in _SUBTITLES and named.fullmatch(one.stem.lower()) and one.is_file()
    ]
    return sorted(fit, key=lambda one: (len(one.stem), _SUBTITLES.index(one.suffix.lower())))


def _add_subtitles(media: Media, name: str, subtitles: list[Path], tally: Tally) -> None:
    for number, file in enumerate(subtitles):
        text = _subtitles(file)
        if number or not text:
            tally.leave_out(
                N_("Teks film (subtitle) lain atau yang tidak terbaca: %(count)s."), example=file.name
            )
            continue
        media.add_subtitles(name, SourceFile(f"{file.stem}.vtt", file, _giving(text)))
        tally.take(N_("Teks film (subtitle): %(count)s."))
        if file.suffix.lower() == ".srt":
            tally.change(N_("Teks film yang diubah dari SRT menjadi WebVTT: %(count)s."))


def _subtitles(file: Path) -> str:
    try:
        if file.stat().st_size > SUBTITLES_MOST:
            return ""
        return webvtt(text_of_page(file.read_bytes()))
    except OSError:
        return ""


def _giving(text: str) -> Callable[[], bytes]:
    return lambda: text.encode()

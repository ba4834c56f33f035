"""A course folder once more, with smaller films, sound and pictures: what a village on a thin line can afford.

The author's folder is never changed. Files keep their names and kinds, so that lessons still find them; one that doesn't
become clearly smaller stays as it is. Needs ffmpeg for films and sound, and Pillow for pictures.
"""

from __future__ import annotations

import importlib.util
import io
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from content_packs.errors import PackError
from sync.errors import N_

if TYPE_CHECKING:
    from PIL import Image

PICTURE_WIDTH: Final = 1366
PICTURE_MOST: Final = 200_000
MEDIA_LEAST: Final = 200_000
"""Films and sound below this are no burden."""

_WORTH: Final = 0.9
"""Each time that a film is coded anew it loses; a tenth is the least that is worth it."""
_QUALITY: Final = 70
_COLOURS: Final = 256
_PICTURES: Final = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
_SCALE: Final = "scale='if(gt(iw,ih),-2,min(480,iw))':'if(gt(iw,ih),min(480,ih),-2)',format=yuv420p"
"""480 pixels on the shorter side, and never more than there are."""
_MONO: Final = ("-ac", "1", "-ar", "44100")
_HOW: Final = {
    ".mp4": (
        *(
            "-map",
            "0:v:0",
            "-map",
            "0:a:0?",
            "-vf",
            _SCALE,
            "-c:v",
            "libx264",
            "-crf",
            "30",
            "-preset",
            "medium",
        ),
        *("-c:a", "aac", "-b:a", "64k", *_MONO, "-movflags", "+faststart"),
    ),
    ".webm": (
        *(
            "-map",
            "0:v:0",
            "-map",
            "0:a:0?",
            "-vf",
            _SCALE,
            "-c:v",
            "libvpx-vp9",
            "-crf",
            "40",
            "-b:v",
            "0",
        ),
        *("-deadline", "good", "-cpu-used", "4", "-c:a", "libopus", "-b:a", "48k", "-ac", "1"),
    ),
    ".mp3": ("-map", "0:a:0", "-c:a", "libmp3lame", "-b:a", "64k", *_MONO),
    ".m4a": ("-map", "0:a:0", "-c:a", "aac", "-b:a", "64k", *_MONO, "-movflags", "+faststart"),
    ".ogg": ("-map", "0:a:0", "-c:a", "libvorbis", "-b:a", "56k", *_MONO),
    ".wav": ("-map", "0:a:0", "-c:a", "pcm_s16le", "-ac", "1", "-ar", "22050"),
}


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What became of a file: its path in the folder and its bytes before and after, equal if it was left alone."""

    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Result:
    files: tuple[Shrunk, ...]
    """Those that were large."""
    missing: tuple[str, ...]
    """Programs that would have been needed and aren't installed."""


def shrink(folder: Path, to: Path, say: Callable[[Shrunk], None] = lambda _file: None) -> Result:
    """Copy a course folder to `to` with smaller media; `say` is told of each large file when it is done.

    Raises:
        PackError: `to` isn't empty or lies in the folder, or nothing that is needed is installed.
    """
    _check_places(folder, to)
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    large = {path for path in paths if _is_large(path, folder)}
    needed = {_needed(path) for path in large}
    missing = tuple(sorted(name for name in needed if not _has(name)))
    if needed and len(missing) == len(needed):
        raise PackError(
            N_("Untuk mengecilkan diperlukan %(programs)s, yang belum terpasang."),
            programs=", ".join(missing),
        )
    made = []
    for path in paths:
        target = to / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        # A link is left for the builder to refuse.
        shutil.copy2(path, target, follow_symlinks=False)
        if path in large and _needed(path) not in missing:
            before = path.stat().st_size
            _replace(path, target)
            made.append(Shrunk(path.relative_to(folder).as_posix(), before, target.stat().st_size))
            say(made[-1])
    return Result(tuple(made), missing)


def _check_places(folder: Path, to: Path) -> None:
    if to.resolve().is_relative_to(folder.resolve()):
        raise PackError(N_("Pilih folder tujuan di luar folder pelatihan: bahan aslinya tidak diubah."))
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise PackError(
            N_("Folder %(folder)s tidak kosong. Pilih folder lain; tidak ada yang ditimpa."), folder=to
        )


def _is_large(path: Path, folder: Path) -> bool:
    if path.is_symlink():
        return False
    size, ending = path.stat().st_size, path.suffix.lower()
    if ending in _HOW:
        return size > MEDIA_LEAST
    # Pages of an activity may count the pixels of its pictures.
    return (
        ending in _PICTURES
        and path.parent == folder
        and (size > PICTURE_MOST or _width(path) > PICTURE_WIDTH)
    )


def _width(path: Path) -> int:
    if not _has("Pillow"):
        return 0
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.width
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0


def _needed(path: Path) -> str:
    return "ffmpeg" if path.suffix.lower() in _HOW else "Pillow"


def _has(program: str) -> bool:
    if program == "Pillow":
        return importlib.util.find_spec("PIL") is not None
    return shutil.which(program) is not None


def _replace(path: Path, target: Path) -> None:
    """Write a smaller form of a file over its copy, if there is one."""
    most = path.stat().st_size * _WORTH
    if _needed(path) == "Pillow":
        content = _picture(path)
        if content and len(content) < most:
            target.write_bytes(content)
        return
    made = target.with_name(f"kecil-{target.name}")
    try:
        if _coded(path, made) and made.stat().st_size < most:
            made.replace(target)
    finally:
        made.unlink(missing_ok=True)


def _coded(path: Path, made: Path) -> bool:
    """Whether ffmpeg could code a film or sound anew. Where it was filmed, and by whom, isn't kept."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-protocol_whitelist", "file"]
    command += ["-i", f"file:{path.absolute()}", "-map_metadata", "-1", "-sn", "-dn"]
    command += [*_HOW[path.suffix.lower()], f"file:{made.absolute()}"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    except OSError:
        return False
    return done.returncode == 0 and made.is_file() and made.stat().st_size > 0


def _picture(path: Path) -> bytes:
    """A picture of the same kind, no wider than a screen; nothing for those that move or can't be read."""
    from PIL import Image, ImageOps

    kind = _PICTURES[path.suffix.lower()]
    try:
        with Image.open(path) as opened:
            if opened.format != kind or getattr(opened, "n_frames", 1) > 1:
                return b""
            profile = opened.info.get("icc_profile")
            # Phones turn pictures by a note beside them, which also says where they were taken.
            turned = ImageOps.exif_transpose(opened)
            is_clear = turned.has_transparency_data and kind != "JPEG"
            picture = turned.convert("RGBA" if is_clear else "RGB")
        if picture.width > PICTURE_WIDTH:
            height = max(1, round(picture.height * PICTURE_WIDTH / picture.width))
            picture = picture.resize((PICTURE_WIDTH, height), Image.Resampling.LANCZOS)
        more = {"icc_profile": profile} if profile else {}
        if kind == "JPEG":
            return _saved(picture, kind, quality=_QUALITY, optimize=True, progressive=True, **more)
        if kind == "WEBP":
            return _saved(picture, kind, quality=_QUALITY, method=6, **more)
        content = _saved(picture, kind, optimize=True, **more)
        if len(content) > PICTURE_MOST:
            how = Image.Quantize.FASTOCTREE if is_clear else Image.Quantize.MEDIANCUT
            content = _saved(picture.quantize(_COLOURS, how), kind, optimize=True, **more)
        return content
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return b""


def _saved(picture: Image.Image, kind: str, **how: Any) -> bytes:
    made = io.BytesIO()
    picture.save(made, kind, **how)
    return made.getvalue()

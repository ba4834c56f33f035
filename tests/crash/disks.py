"""Small disks of their own for tests, where this machine allows it; in CI it must."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

_TOOLS: Final = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}


def cannot(why: str) -> None:
    """Skip; in CI, where everything is there on purpose, fail."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def has(tool: str) -> bool:
    return shutil.which(tool, path=_TOOLS["PATH"]) is not None


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, env=_TOOLS)


@contextlib.contextmanager
def tmpfs(place: Path, megabytes: int) -> Iterator[Path]:
    """A disk that is soon full."""
    place.mkdir()
    with _mounted(place, "mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "lontar-test", str(place)):
        yield place


@contextlib.contextmanager
def ext4(image: Path, place: Path, megabytes: int) -> Iterator[Path]:
    """A disk that can fail: see `fail`."""
    if not has("mkfs.ext4"):
        cannot("mkfs.ext4 is missing")
    image.write_bytes(b"")
    os.truncate(image, megabytes << 20)
    run("mkfs.ext4", "-q", str(image)).check_returncode()
    place.mkdir()
    with again(image, place):
        yield place


@contextlib.contextmanager
def again(image: Path, place: Path) -> Iterator[Path]:
    """As after a restart: what the file system finds to mend is mended, and it can be written again."""
    run("fsck.ext4", "-p", "-f", str(image))
    with _mounted(place, "mount", "-o", "loop,errors=remount-ro", str(image), str(place)):
        yield place


def fail(place: Path) -> None:
    """The file system meets an error and takes no more writes, while files are open."""
    source = run("findmnt", "-n", "-o", "SOURCE", str(place)).stdout.strip()
    trigger = Path("/sys/fs/ext4") / Path(source).name / "trigger_fs_error"
    try:
        trigger.write_text("lontar-test")
    except OSError as problem:
        pytest.skip(f"this kernel fails no file system on request: {problem}")


@contextlib.contextmanager
def _mounted(place: Path, *command: str) -> Iterator[None]:
    done = run(*command)
    if done.returncode != 0:
        cannot(f"mounting is not permitted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        _unmount(place)


def _unmount(place: Path) -> None:
    if run("umount", str(place)).returncode != 0:
        # Somebody is still looking at it.
        run("umount", "-l", str(place)).check_returncode()


def fill(place: Path) -> Path:
    """Photos, until nothing more fits."""
    photos = place / f"photos-{len(list(place.glob('photos-*')))}"
    with photos.open("wb", buffering=0) as file:
        for size in (64 * 1024, 4096, 512):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return photos


def free(place: Path) -> None:
    for photos in place.glob("photos-*"):
        photos.unlink()


@contextlib.contextmanager
def fat(image: Path, place: Path) -> Iterator[None]:
    """A FAT file system in a file, mounted: by the kernel, or by a process of its own where the kernel has none."""
    place.mkdir(exist_ok=True)
    if run("mount", "-o", "loop,umask=000", str(image), str(place)).returncode != 0:
        if not has("fusefat"):
            cannot("neither the kernel nor fusefat mounts FAT here")
        done = run("fusefat", "-o", "rw+", str(image), str(place))
        if done.returncode != 0 or not os.path.ismount(place):
            cannot(f"fusefat can't mount here: {done.stderr.strip()}")
    try:
        yield
    finally:
        _unmount(place)


def make_fat(image: Path, megabytes: int) -> None:
    if not has("mkfs.vfat"):
        cannot("mkfs.vfat is missing: install dosfstools")
    image.write_bytes(b"")
    os.truncate(image, megabytes << 20)
    run("mkfs.vfat", str(image)).check_returncode()

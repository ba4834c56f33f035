"""Refusals about course packs."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from sync.errors import LontarError


class PackError(LontarError):
    """A pack, or what should become one, can't be used."""

    code: ClassVar[str] = "pack"
    exit_code: ClassVar[int] = 2


class LessonFileError(PackError):
    """A lesson file must be mended first; the sentence begins with the file's name."""

    def __init__(self, file: str, text: str, **details: object) -> None:
        super().__init__(text, file=file, **details)

    def sentence(self, translate: Callable[[str], str] = lambda text: text) -> str:
        return f"{self.details['file']}: {super().sentence(translate)}"


class UntrustedPackError(PackError):
    """Nobody whom this device trusts has signed the pack."""

    code = "untrusted-pack"
    exit_code = 9
    http_status = 403


class NoSpaceError(PackError):
    code = "no-space"
    exit_code = 7
    http_status = 507

"""The border of every command: a refusal becomes one sentence on stderr and an exit code."""

from __future__ import annotations

import errno
import functools
import sys
from collections.abc import Callable
from gettext import gettext as _
from typing import Final, ParamSpec, TypeVar

import click

from sync.errors import LontarError

P = ParamSpec("P")
R = TypeVar("R")

DISK_FULL: Final = 7


def speak_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Let `command` end with a sentence instead of a traceback when it is refused."""

    @functools.wraps(command)
    def spoken(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except LontarError as problem:
            click.echo(problem.sentence(_), err=True)
            sys.exit(problem.exit_code)
        except OSError as problem:
            if problem.errno == errno.ENOSPC:
                click.echo(
                    _("Penyimpanan penuh. Kosongkan ruang lalu ulangi; yang sudah tersimpan aman."),
                    err=True,
                )
                sys.exit(DISK_FULL)
            click.echo(_("Tidak berhasil: %(problem)s") % {"problem": problem}, err=True)
            sys.exit(1)

    return spoken

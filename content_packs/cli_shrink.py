"""`lontar pack shrink`: a course folder once more with smaller films, sound and pictures.

`small_copy` is the same for `lontar pack build --shrink`, of a folder that is there only while the pack is built.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli_errors import speak_errors

if TYPE_CHECKING:
    from content_packs.shrink import Shrunk


@click.command(
    help=_(
        "Menyalin folder pelatihan dengan film, suara dan gambar yang lebih kecil; folder aslinya tidak diubah. Memerlukan ffmpeg dan Pillow."
    )
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help=_("Folder baru untuk salinannya."),
)
@speak_errors
def shrink(folder: Path, to: Path) -> None:
    say_shrunk(folder, to)
    click.echo(_("Salinan yang lebih kecil: %(folder)s.") % {"folder": to})


@contextmanager
def small_copy(folder: Path) -> Iterator[Path]:
    """A smaller copy of a course folder, which goes when it isn't needed any more.

    Raises:
        PackError: nothing that is needed is installed.
    """
    with tempfile.TemporaryDirectory(prefix="lontar-") as place:
        copy = Path(place) / folder.resolve().name
        say_shrunk(folder, copy)
        yield copy


def say_shrunk(folder: Path, to: Path) -> None:
    """Shrink, and say what became of each large file and what is missing.

    Raises:
        PackError: as `shrink.shrink`.
    """
    from content_packs.shrink import shrink as make_small

    made = make_small(folder, to, _say)
    before, after = (sum(getattr(file, name) for file in made.files) for name in ("before", "after"))
    if made.files:
        click.echo(_kilobytes(_("Semuanya"), before, after))
    else:
        click.echo(_("Tidak ada film, suara atau gambar yang besar."))
    if made.missing:
        click.echo(
            _("Sebagian tidak dikecilkan karena %(programs)s belum terpasang.")
            % {"programs": ", ".join(made.missing)}
        )


def _say(file: Shrunk) -> None:
    if file.after < file.before:
        click.echo(_kilobytes(file.name, file.before, file.after))
    else:
        click.echo(
            _("%(name)s: %(before)s KB, dibiarkan karena tidak menjadi lebih kecil.")
            % {"name": file.name, "before": -(-file.before // 1000)}
        )


def _kilobytes(name: str, before: int, after: int) -> str:
    sizes = {"name": name, "before": -(-before // 1000), "after": -(-after // 1000)}
    return _("%(name)s: %(before)s KB menjadi %(after)s KB.") % sizes

"""`lontar usb write` and `lontar usb read` at a village laptop."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli_parts import opened
from node.courses import install_from
from node.errors import NodeError
from node.trust import pinned_keyset
from sync.errors import N_
from sync.keys import fingerprint
from sync.stick import Stick
from sync.words import words_of
from web.cli_parts import bar

if TYPE_CHECKING:
    from node.wiring import Node


def write(data: Path, path: Path, trust: str | None = None) -> None:
    """Put what the centre hasn't confirmed on a stick.

    Raises:
        NodeError, StickError: with what to do; the work is safe.
    """
    with opened(data) as made:
        drive = Stick(path)
        _trust(made, drive, trust)
        with bar(_("Menulis"), unit_bytes=True) as show:
            written = made.bundles.write(drive, show)
        click.echo(
            _("Aman dicabut: %(entries)s catatan dalam %(parts)s bagian (%(size)s bita).")
            % {"entries": written.entries, "parts": written.parts, "size": written.size}
        )


def read(data: Path, path: Path, trust: str | None = None) -> None:
    """Take what a stick brings for this laptop.

    Raises:
        NodeError, StickError: with what to do; the work is safe.
    """
    with opened(data) as made:
        drive = Stick(path)
        _trust(made, drive, trust)
        before = made.recorder.counts().confirmed
        taken = made.bundles.read(drive)
        for title in install_from(made, drive):
            click.echo(_("Pelatihan baru terpasang: %(title)s") % {"title": title})
        click.echo(
            _(
                "%(parts)s bagian dibaca: %(new)s butir baru, %(confirmed)s catatan dikonfirmasi, %(torn)s bagian tidak utuh, %(others)s untuk penerima lain."
            )
            % {
                "parts": taken.parts,
                "new": taken.new,
                "confirmed": max(0, made.recorder.counts().confirmed - before),
                "torn": taken.torn,
                "others": taken.others,
            }
        )


def _trust(made: Node, drive: Stick, expected: str | None) -> None:
    """Believe the centre that a stick brings, if this laptop knows none and people have compared.

    Raises:
        NodeError: nobody has, or it is another one.
    """
    if pinned_keyset(made.store) is not None:
        return
    offered = made.bundles.keyset_on(drive)
    if offered is None:
        if expected is not None:
            raise NodeError(N_("Flashdisk ini tidak membawa kunci pusat."))
        return
    found = fingerprint(offered.root)
    if expected is None:
        raise NodeError(
            N_(
                "Flashdisk ini membawa kunci pusat %(root)s (%(words)s). Cocokkan dengan kertas dari petugas; bila sama, ulangi dengan --trust %(root)s"
            ),
            root=found,
            words=" ".join(words_of(offered.root)),
        )
    if _plain(expected) != _plain(found):
        raise NodeError(
            N_("Kunci pusat pada flashdisk ini %(root)s, bukan yang disebut. Tidak ada yang diubah."),
            root=found,
        )
    made.bundles.trust(drive)


def _plain(text: str) -> str:
    return text.upper().replace("-", "").replace(" ", "")

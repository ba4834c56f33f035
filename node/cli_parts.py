"""What the laptop's commands share: the folder they work in, making a node, registering it."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sync.errors import N_, LontarError, NotAHubError, RefusedError, SignatureError, UnreachableError
from web.data_folder import DataFolderError

if TYPE_CHECKING:
    from node.wiring import Node


def usual_folder() -> Path:
    """Where a laptop's data lies if nobody says otherwise."""
    import platformdirs

    return platformdirs.user_data_path("lontar", appauthor=False) / "desa"


DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=usual_folder,
    envvar="LONTAR_DATA",
    help=_("Folder data perangkat ini; bila tidak disebut, tempat yang biasa di akun ini."),
)
HUB = click.option(
    "--hub", "hub_url", required=True, help=_("Alamat pusat, misalnya https://pusat.example.go.id")
)
VILLAGE = click.option("--village", required=True, help=_("Kode desa, misalnya 17.05.10.2007"))
VILLAGE_NAME = click.option("--village-name", default="", help=_("Nama desa, untuk ditampilkan."))
CODE = click.option("--code", default=None, help=_("Kode pendaftaran dari pusat."))
PORT = click.option("--port", default=8080, type=click.IntRange(1, 65535), show_default=True)

REFUSED: Final = 6
_VILLAGE_CODE: Final = re.compile(r"\d\d\.\d\d\.\d\d\.\d{4}")


@contextlib.contextmanager
def opened(data: Path) -> Iterator[Node]:
    from node.wiring import open_node

    made = open_node(data)
    try:
        yield made
    finally:
        made.close()


def make_folder(
    data: Path, hub_url: str, village: str, village_name: str, code: str | None, port: int
) -> None:
    """Make the folder of a new node.

    Raises:
        DataFolderError, MalformedError: what was typed can't be right; nothing was made.
    """
    from node import config
    from sync.machine import Machine
    from sync.registration import read_code

    if not _VILLAGE_CODE.fullmatch(village):
        raise DataFolderError(
            N_("Kode desa %(code)s tidak sah. Contoh yang benar: 17.05.10.2007"), code=village
        )
    if not hub_url.startswith(("http://", "https://")):
        raise DataFolderError(N_("Alamat pusat harus diawali http:// atau https://."))
    if code:
        read_code(code)
    machine = Machine()
    secrets = {name: machine.random_bytes(32) for name in ("device", "sealing", "pepper", "session")}
    config.create(data, config.Settings(hub_url, village, village_name, port=port), secrets)


def register(made: Node, code: str | None) -> None:
    """Register and tell how it went; ends the command with 6 where the centre said no."""
    root = made.worker.enrol(code)
    state = made.worker.state().registration
    if state == "registered":
        click.echo(_("Terdaftar di pusat. Sidik kunci pusat: %(root)s") % {"root": root})
        return
    click.echo(
        _(
            "Permintaan diterima; menunggu persetujuan pusat. Sidik kunci pusat: %(root)s — cocokkan dengan petugas."
        )
        % {"root": root}
    )
    if state in ("refused", "revoked"):
        sys.exit(REFUSED)


def register_new(made: Node, data: Path, code: str) -> None:
    """Register a node that was just made. Without a signal the code is kept for the first contact."""
    try:
        register(made, code)
    except (UnreachableError, NotAHubError) as problem:
        made.worker.keep_code(code)
        click.echo(problem.sentence(_), err=True)
        click.echo(
            _(
                "Kode disimpan: Lontar mendaftar sendiri saat ada sinyal. Atau daftarkan nanti dengan: lontar node register --data %(folder)s --code %(code)s"
            )
            % {"folder": data, "code": code}
        )
    except LontarError as problem:
        click.echo(problem.sentence(_), err=True)
        is_no = isinstance(problem, RefusedError | SignatureError)
        sys.exit(REFUSED if is_no else problem.exit_code)

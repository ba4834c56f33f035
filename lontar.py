"""The `lontar` command: gathers the command groups, loads each only when it is called."""

from __future__ import annotations

import gettext
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import click

from sync import __version__
from sync.cli_errors import speak_errors
from sync.errors import N_, LontarError

_COMMANDS: Final = {
    "node": ("node.cli", "node"),
    "sync": ("node.cli", "sync_command"),
    "hub": ("hub.cli", "hub"),
    "courier": ("courier.cli", "courier"),
    "pack": ("content_packs.cli", "pack"),
}


_USB: Final = "usb"


class _WrongPlaceError(LontarError):
    """There is neither a village nor a centre in a folder, or an option is for the other one."""

    exit_code = 2


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, _USB]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == _USB:
            return _usb()
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name]
        command: click.Command = getattr(_loaded(module), attribute)
        if cmd_name == "pack":
            _add_install(command)
        return command


def _loaded(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as problem:
        extra = next((name for name in ("hub", "courier") if module.startswith(name)), "node")
        text = gettext.gettext(
            "Bagian ini belum dipasang (%(name)s). Jalankan: pip install 'lontar[%(extra)s]'"
        )
        raise click.ClickException(text % {"name": problem.name, "extra": extra}) from problem


def _usb() -> click.Group:
    """Sticks at a village's laptop or at a centre, whichever is in the folder. Made late: its help is translated."""
    data = click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        required=True,
        envvar="LONTAR_DATA",
        help=gettext.gettext("Folder data laptop desa atau pusat."),
    )
    stick = click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
    trust = click.option(
        "--trust",
        default=None,
        metavar="SIDIK",
        help=gettext.gettext("Sidik kunci pusat dari kertas petugas, bila laptop belum mengenal pusat."),
    )

    @click.group(help=gettext.gettext("Flashdisk: menulis dan membaca, di laptop desa atau di pusat."))
    def usb() -> None:
        pass

    @usb.command(help=gettext.gettext("Menulis ke flashdisk semua yang harus dibawanya."))
    @stick
    @data
    @click.option("--region", default="", help=gettext.gettext("Pusat: hanya untuk wilayah berkode ini."))
    @trust
    @speak_errors
    def write(path: Path, data: Path, region: str, trust: str | None) -> None:
        at_hub = _is_hub(data, trust, region)
        commands = _loaded("hub.cli_usb" if at_hub else "node.cli_usb")
        commands.write(data, path, region if at_hub else trust)

    @usb.command(help=gettext.gettext("Mengambil dari flashdisk semua yang dibawanya untuk folder ini."))
    @stick
    @data
    @trust
    @speak_errors
    def read(path: Path, data: Path, trust: str | None) -> None:
        if _is_hub(data, trust):
            _loaded("hub.cli_usb").read(data, path)
        else:
            _loaded("node.cli_usb").read(data, path, trust)

    return usb


def _is_hub(data: Path, trust: str | None, region: str = "") -> bool:
    """Whether a centre is in the folder; a village if not.

    Raises:
        _WrongPlaceError: neither is, or an option is for the other one.
    """
    if (data / "node.toml").is_file():
        if region:
            raise _WrongPlaceError(N_("--region hanya untuk pusat, bukan untuk laptop desa."))
        return False
    if (data / "hub.toml").is_file():
        if trust is not None:
            raise _WrongPlaceError(N_("--trust hanya untuk laptop desa, bukan untuk pusat."))
        return True
    text = N_("Folder %(folder)s bukan folder data laptop desa dan bukan folder data pusat.")
    raise _WrongPlaceError(text, folder=data)


def _add_install(pack: click.Command) -> None:
    """`lontar pack install` writes to a node's log, so the node brings it, where a node is installed."""
    try:
        from node.cli import install
        from node.cli_packs import fetch, list_, make, offers, rollback
        from node.cli_preview import preview
    except ModuleNotFoundError:
        return
    if isinstance(pack, click.Group):
        for command in (install, list_, offers, fetch, make, rollback, preview):
            pack.add_command(command)


@click.command(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="lontar")
def cli() -> None:
    pass


def main() -> None:
    """Entry point: chooses the language (LONTAR_LANG, then the system's; Indonesian if in doubt)."""
    translations = Path(__file__).parent / "web" / "translations"
    asked = ("LONTAR_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    wanted = next(filter(None, map(os.environ.get, asked)), "")
    codes = (one.partition(".")[0].partition("_")[0] for one in wanted.split(":"))
    # One language alone: what it lacks is said in Indonesian, not in the next one.
    os.environ["LANGUAGE"] = next(
        (one for one in codes if one == "id" or (one and (translations / one).is_dir())), "id"
    )
    gettext.bindtextdomain("lontar", str(translations))
    gettext.textdomain("lontar")
    cli.help = gettext.gettext("Lontar: belajar dan sinkronisasi untuk desa tanpa sinyal.")
    sys.exit(cli())


if __name__ == "__main__":
    main()

"""The `lontar` command: gathers the command groups, loads each only when it is called."""

from __future__ import annotations

import gettext
import importlib
import os
import sys
from pathlib import Path
from typing import Final

import click

from sync import __version__

_COMMANDS: Final = {
    "node": ("node.cli", "node"),
    "sync": ("node.cli", "sync_command"),
    "hub": ("hub.cli", "hub"),
    "pack": ("content_packs.cli", "pack"),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name]
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
            if cmd_name == "pack":
                _add_install(command)
        except ModuleNotFoundError as problem:
            extra = "hub" if module.startswith("hub") else "node"
            text = gettext.gettext(
                "Bagian ini belum dipasang (%(name)s). Jalankan: pip install 'lontar[%(extra)s]'"
            )
            raise click.ClickException(text % {"name": problem.name, "extra": extra}) from problem
        return command


def _add_install(pack: click.Command) -> None:
    """`lontar pack install` writes to a node's log, so the node brings it, where a node is installed."""
    try:
        from node.cli import install
    except ModuleNotFoundError:
        return
    if isinstance(pack, click.Group):
        pack.add_command(install)


@click.command(
    cls=_Lazy,
    help="Lontar: belajar dan sinkronisasi untuk desa tanpa sinyal.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="lontar")
def cli() -> None:
    pass


def main() -> None:
    """Entry point: chooses the language (LONTAR_LANG, then the system's; Indonesian if in doubt)."""
    if os.environ.get("LONTAR_LANG"):
        os.environ["LANGUAGE"] = os.environ["LONTAR_LANG"]
    gettext.bindtextdomain("lontar", str(Path(__file__).parent / "web" / "translations"))
    gettext.textdomain("lontar")
    sys.exit(cli())


if __name__ == "__main__":
    main()

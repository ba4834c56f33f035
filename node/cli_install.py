"""`lontar node install` and `lontar node uninstall`: start with the laptop, and an icon that opens the pages.

Says what it writes and how to see whether it runs. A second run changes nothing. What is taken away again is exactly
what was made, never the data. What to write is decided by `node/autostart.py` and `node/cli_install_places.py`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli_parts import DATA
from sync.cli_errors import speak_errors

if TYPE_CHECKING:
    from node.cli_install_places import Plan

SYSTEM = click.option(
    "--system",
    is_flag=True,
    help=_("Untuk seluruh laptop, sejak dinyalakan (Linux: dengan sudo; Windows: sebagai administrator)."),
)


@click.command(help=_("Menjalankan Lontar setiap kali laptop dinyalakan, dan memasang ikonnya."))
@DATA
@SYSTEM
@click.option(
    "--user", "account", default=None, help=_("Dengan --system di Linux: akun yang menjalankan Lontar.")
)
@click.option("--dry-run", is_flag=True, help=_("Hanya tampilkan apa yang akan ditulis."))
@speak_errors
def install(data: Path, system: bool, account: str | None, dry_run: bool) -> None:
    from node.cli_install_places import plan_for

    plan = plan_for(data.expanduser().absolute(), system, account)
    if dry_run:
        _show(plan)
        return
    new = [path for path in plan.files if not _stands(path, plan)]
    plan.prepare()
    for path in new:
        _write(path, plan)
        click.echo(_("Ditulis: %(path)s") % {"path": path})
    told = _carry_out(plan.begin if new else plan.again)
    if not new:
        click.echo(_("Sudah terpasang; tidak ada yang diubah."))
    if told:
        click.echo(_("Belum dapat dijalankan sekarang: %(told)s") % {"told": told}, err=True)
        click.echo(plan.later, err=True)
        if plan.needs_begin:
            sys.exit(1)
    click.echo(_("Halaman belajar: %(address)s") % {"address": plan.address})
    click.echo(_("Melihat apakah berjalan: %(command)s") % {"command": plan.look})
    for line in plan.advice:
        click.echo(line)


@click.command(help=_("Tidak lagi menjalankan Lontar sendiri; ikonnya dihapus. Data belajar tetap ada."))
@SYSTEM
@click.option("--dry-run", is_flag=True, help=_("Hanya tampilkan apa yang akan dihapus."))
@speak_errors
def uninstall(system: bool, dry_run: bool) -> None:
    from node.cli_install_places import plan_for

    plan = plan_for(None, system, None)
    there = [path for path in plan.files if path.is_symlink() or path.exists()]
    ours = [path for path in there if plan.is_ours(path)]
    for path in there:
        if path not in ours:
            click.echo(_("Dibiarkan, karena bukan buatan Lontar: %(path)s") % {"path": path})
    if not ours:
        click.echo(_("Tidak ada yang perlu dihapus."))
        return
    if not dry_run:
        _carry_out(plan.end)
    for path in ours:
        if not dry_run:
            path.unlink()
        text = _("Akan dihapus: %(path)s") if dry_run else _("Dihapus: %(path)s")
        click.echo(text % {"path": path})
    if not dry_run:
        _carry_out(plan.after)
        click.echo(_("Data belajar tidak disentuh."))


def _show(plan: Plan) -> None:
    for path, written in plan.files.items():
        click.echo(_("Akan ditulis: %(path)s") % {"path": path})
        if isinstance(written, Path):
            click.echo(f"    -> {written}")
        elif path.suffix not in (".svg", ".ico"):
            text = written.decode("utf-16" if path.suffix == ".xml" else "utf-8")
            click.echo("".join(f"    {line}\n" for line in text.splitlines()))
    for command in plan.begin:
        click.echo(_("Akan dijalankan: %(command)s") % {"command": subprocess.list2cmdline(command)})


def _stands(path: Path, plan: Plan) -> bool:
    written = plan.files[path]
    if isinstance(written, Path):
        return path.is_symlink() and path.readlink() == written
    return path.is_file() and path.read_bytes() == written


def _write(path: Path, plan: Plan) -> None:
    """Write a file whole or not at all."""
    written = plan.files[path]
    path.parent.mkdir(parents=True, exist_ok=True)
    started = path.with_name(path.name + ".baru")
    started.unlink(missing_ok=True)
    if isinstance(written, Path):
        started.symlink_to(written)
    else:
        started.write_bytes(written)
        # Desktops start only what may be run.
        started.chmod(0o755 if path.suffix == ".desktop" else 0o644)
    started.replace(path)


def _carry_out(commands: Sequence[Sequence[str]]) -> str:
    """Run them in turn; what the first said that didn't succeed, or nothing."""
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        except OSError as problem:
            return str(problem)
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            return said[0] if said else f"{command[0]}: {done.returncode}"
    return ""

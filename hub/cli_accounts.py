"""`lontar hub operator …` and `lontar hub audit`: who works at this centre, and what they did."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import click

from hub.cli import DATA, _opened, _region, hub
from hub.roles import Role
from sync.cli_errors import speak_errors


@hub.group(help=_("Akun operator: mengundang, mendaftar, mengakhiri."))
def operator() -> None:
    pass


@operator.command(help=_("Mengundang seseorang; ia memilih kata sandinya sendiri di alamat yang dicetak."))
@DATA
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.OPERATOR.value,
    show_default=True,
    help=_("Tugas akun ini."),
)
@click.option("--region", default="", help=_("Kode wilayahnya; tanpa ini seluruh Indonesia."))
@click.option(
    "--address",
    default=None,
    help=_("Alamat pusat, misalnya https://pusat.desa.id; bawaan public_url dari hub.toml."),
)
@speak_errors
def invite(data: Path, name: str, role: str, region: str, address: str | None) -> None:
    import secrets

    from hub import invitations
    from hub.roles import Standing

    with _opened(data) as made:
        now_ms, standing = made.intake.now_ms(), Standing(Role(role), _region(made, region))
        token = invitations.make(made.engine, name, standing, secrets.token_urlsafe, now_ms)
        link = f"{(address or made.config.public_url).rstrip('/')}/undangan/{token}"
        click.echo(link)
    click.echo(_("Berlaku %(days)s hari, untuk satu kali.") % {"days": invitations.DAYS}, err=True)


@operator.command(name="list", help=_("Semua akun: nama, tugas, wilayah, keadaan."))
@DATA
@speak_errors
def list_command(data: Path) -> None:
    from hub import operators
    from hub.db import reading
    from hub.roles import NATIONAL

    with _opened(data) as made, reading(made.engine) as connection:
        for one in operators.listed(connection, NATIONAL):
            standing, state = one.standing, _("dipakai")
            if one.ended_ms is not None:
                state = _("diakhiri")
            elif one.is_invited:
                state = _("diundang")
            click.echo(f"{one.name}\t{standing.role.value}\t{standing.scope or '-'}\t{state}")


@operator.command(
    help=_("Mengakhiri akun: ia langsung dikeluarkan, dan yang dikerjakannya tetap tercatat.")
)
@DATA
@click.argument("name")
@speak_errors
def end(data: Path, name: str) -> None:
    from hub import operators

    with _opened(data) as made:
        operators.end(made.engine, name, made.intake.now_ms())
        click.echo(_("Akun %(name)s diakhiri.") % {"name": name})


@hub.command(help=_("Memeriksa segel jejak operator dari awal, lalu mencetaknya, yang terbaru di atas."))
@DATA
@click.option(
    "--most", default=50, show_default=True, type=click.IntRange(0), help=_("Baris paling banyak.")
)
@speak_errors
def audit(data: Path, most: int) -> None:
    from datetime import UTC, datetime

    from hub import audit as acts
    from hub.db import reading
    from hub.queries import said
    from sync.decisions import HubOperatorActed

    with _opened(data) as made, reading(made.engine) as connection:
        count = acts.verify(connection, made.config)
        for one in said.in_scope(connection, acts.SCOPE, most):
            if isinstance(one.kind, HubOperatorActed) and one.hub_ms is not None:
                when = datetime.fromtimestamp(one.hub_ms / 1000, UTC).isoformat(timespec="seconds")
                kind = one.kind
                click.echo(
                    "\t".join((when, kind.operator, kind.role, kind.region or "-", kind.act, kind.about))
                )
        click.echo(_("Utuh: %(count)s tindakan, semuanya tersegel.") % {"count": count}, err=True)

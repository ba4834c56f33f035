"""`lontar hub token …` and `lontar hub deliver`: programs of others that read this hub, and those that it tells."""

from __future__ import annotations

import time
from gettext import gettext as _
from pathlib import Path
from typing import Final

import click

from hub.cli import DATA, _opened, _region, hub
from sync.cli_errors import speak_errors

_EVERY_S: Final = 5
_BY: Final = "lontar hub token"
"""Who made a token that was made here."""


@hub.group(help=_("Kunci API: dengan ini program lain membaca data satu wilayah."))
def token() -> None:
    pass


@token.command(help=_("Membuat kunci dan mencetaknya, satu kali ini saja."))
@DATA
@click.argument("name")
@click.option("--region", default="", help=_("Kode wilayahnya; tanpa ini seluruh Indonesia."))
@click.option("--names", is_flag=True, help=_("Boleh melihat nama peserta."))
@speak_errors
def add(data: Path, name: str, region: str, names: bool) -> None:
    import secrets

    from hub import tokens

    with _opened(data) as made:
        code, now_ms = _region(made, region), made.intake.now_ms()
        click.echo(tokens.make(made.engine, name, code, names, _BY, secrets.token_hex, now_ms))


@token.command(name="list", help=_("Semua kunci: nomor, nama, wilayah, terakhir dipakai, keadaan."))
@DATA
@speak_errors
def list_command(data: Path) -> None:
    from datetime import UTC, datetime

    from hub import tokens
    from hub.db import reading

    with _opened(data) as made, reading(made.engine) as connection:
        for one in tokens.listed(connection):
            used = "-"
            if one.used_ms is not None:
                used = datetime.fromtimestamp(one.used_ms / 1000, UTC).date().isoformat()
            state = _("dipakai") if one.ended_ms is None else _("diakhiri")
            click.echo(f"{one.pk}\t{one.name}\t{one.scope or '-'}\t{used}\t{state}")


@token.command(help=_("Mengakhiri kunci: program yang memakainya langsung tidak dijawab lagi."))
@DATA
@click.argument("number", type=click.IntRange(1))
@speak_errors
def end(data: Path, number: int) -> None:
    from hub import tokens

    with _opened(data) as made:
        tokens.end(made.engine, number, made.intake.now_ms())
        click.echo(_("Kunci %(number)s diakhiri.") % {"number": number})


@hub.command(
    help=_(
        "Mengirim yang menunggu kepada webhook, dan menyelesaikan penggabungan yang terputus; "
        "boleh berjalan di beberapa mesin sekaligus."
    )
)
@DATA
@click.option("--watch", is_flag=True, help=_("Terus-menerus, sampai dihentikan."))
@speak_errors
def deliver(data: Path, watch: bool) -> None:
    from hub import addresses, catching_up, deliveries
    from hub.errors import BusyError

    with _opened(data) as made:
        send = deliveries.Messenger(addresses.networks(made.config.webhook_networks))
        caught_up_ms = 0
        while True:
            try:
                now_ms = made.intake.now_ms()
                if now_ms - caught_up_ms >= catching_up.EVERY_MS:
                    since_ms = max(caught_up_ms - catching_up.MARGIN_MS, now_ms - catching_up.DAY_MS)
                    catching_up.catch_up(made.engine, made.config, since_ms, now_ms)
                    caught_up_ms = now_ms
                done = deliveries.deliver(made.engine, send, made.intake.now_ms)
                if done.arrived or done.failed or not watch:
                    click.echo(
                        _("%(arrived)s sampai, %(failed)s gagal, %(stopped)s webhook dihentikan.")
                        % {"arrived": done.arrived, "failed": done.failed, "stopped": done.stopped}
                    )
            except BusyError as problem:
                if not watch:
                    raise
                click.echo(problem.sentence(_), err=True)
            if not watch:
                return
            time.sleep(_EVERY_S)

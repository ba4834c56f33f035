"""`lontar node neighbours`: other laptops of the village on this network."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from node.cli_parts import DATA, opened
from node.errors import NodeError
from sync.cli_errors import speak_errors
from sync.errors import N_, LontarError

if TYPE_CHECKING:
    from node.wiring import Node

_LISTEN_S: Final = 3.0


@click.command(
    help=_("Bertukar data dengan laptop lain desa ini di jaringan yang sama (dicari sendiri, atau ALAMAT).")
)
@DATA
@click.argument("address", required=False)
@speak_errors
def neighbours(data: Path, address: str | None) -> None:
    with opened(data) as made:
        addresses = [address] if address else found(made)
        if not addresses:
            raise NodeError(
                N_(
                    "Tidak ada laptop lain dari desa ini yang ditemukan di jaringan. Ketik alamatnya, misalnya http://192.168.1.12:8080"
                )
            )
        failed = False
        for one in addresses:
            try:
                met = made.neighbours.meet(one)
            except LontarError as problem:
                click.echo(f"{one}: {problem.sentence(_)}", err=True)
                failed = True
                continue
            click.echo(
                _("%(address)s: %(taken)s segmen diterima, %(given)s segmen diberikan.")
                % {"address": one, "taken": met.taken, "given": met.given}
            )
        if failed:
            sys.exit(4)


def found(made: Node) -> list[str]:
    """Addresses of this village's other laptops; none before this one knows its centre."""
    tag = _tag(made)
    if tag is None:
        return []
    from node import multicast

    return multicast.neighbours(tag, _name(made), _LISTEN_S)


def meet_all(made: Node, addresses: Sequence[str]) -> None:
    """Exchange with every laptop that was found; one that fails doesn't keep the others."""
    for address in addresses:
        with suppress(LontarError):
            made.neighbours.meet(address)


@contextmanager
def found_by_others(made: Node, port: int) -> Iterator[None]:
    """Let this village's other laptops find this one while the block runs."""
    tag = _tag(made)
    if tag is None:
        yield
        return
    from node import multicast

    with multicast.found_by_neighbours(tag, _name(made), port):
        yield


def _tag(made: Node) -> bytes | None:
    from node import lan
    from node.trust import pinned_keyset

    keyset = pinned_keyset(made.store)
    return None if keyset is None else lan.village_tag(keyset.root, made.config.village)


def _name(made: Node) -> str:
    from sync.keys import key_id

    return "lontar-" + key_id(made.config.device_key.public).hex()[:12]

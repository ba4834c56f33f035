"""A laptop at work: the wizard where there is no node yet, then its pages, the exchange in the background, the neighbours.

One process from the first page on: when the wizard is done, the pages of what it made are served at the same port.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from flask import Flask

from node import config
from node.app import create_app
from node.cli_neighbours import found_by_others
from node.config import Settings
from node.service import in_service
from node.serving import Served
from node.setup import Setup, furnish_interrupted, is_unmade
from node.views import welcome
from node.wiring import Node, open_node
from sync.errors import N_
from sync.machine import Machine
from web.data_folder import DataFolderError

LookAround = Callable[[Node], None]
_USUAL: Final = config.Settings("", "")


@contextlib.contextmanager
def running(
    data: Path, host: str | None, port: int | None, look_around: LookAround | None
) -> Iterator[Served]:
    """The servers of a data folder, to be run; what belongs to them ends with the block.

    `look_around` is what the laptop does besides exchanging; None to send nothing in the background.

    Raises:
        LontarError: the folder can't be used, or the port is taken.
    """
    with contextlib.ExitStack() as stack:
        if is_unmade(data):
            yield _first_day(stack, data, host or _USUAL.host, port or _USUAL.port, look_around)
        else:
            node = _opened(stack, data)
            furnish_interrupted(node)
            settings = node.config.settings
            listen = (host or settings.host, port or settings.port)
            served = _served(create_app(node), *listen, player_port(settings, listen[1]))
            _accompany(stack, node, served.port, look_around)
            yield served


def player_port(settings: Settings, port: int) -> int:
    """Where activities are played."""
    return settings.player_port or port + 1


def _first_day(
    stack: contextlib.ExitStack, data: Path, host: str, port: int, look_around: LookAround | None
) -> Served:
    from node.setup_app import BODY_MOST, create_setup_app

    def show(node: Node) -> str:
        pages = create_app(node)
        served.become(pages, player_port(node.config.settings, served.port))
        _accompany(stack, node, served.port, look_around)
        return welcome.path_for_once(pages)

    setup = Setup(data, port, Machine(), lambda: _opened(stack, data), show)
    served = _served(create_setup_app(setup), host, port, None, BODY_MOST)
    return served


def _opened(stack: contextlib.ExitStack, data: Path) -> Node:
    node = open_node(data)
    stack.callback(node.close)
    return node


def _accompany(stack: contextlib.ExitStack, node: Node, port: int, look_around: LookAround | None) -> None:
    """What goes on beside the pages: exchanging, backups, and being found by the village's other laptops."""
    stack.enter_context(in_service(node))
    stack.callback(node.worker.stop)
    if look_around is not None:
        node.worker.start(lambda: look_around(node))
    stack.enter_context(found_by_others(node, port))


def _served(pages: Flask, host: str, port: int, player: int | None, *body_most: int) -> Served:
    try:
        return Served(pages, host, port, player, *body_most)
    except OSError as problem:
        raise DataFolderError(
            N_("Alamat %(host)s:%(port)s sedang dipakai program lain. Pilih --port lain."),
            host=host,
            port=port,
        ) from problem

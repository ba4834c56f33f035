"""Puts the officer's laptop together from its data folder: the one place where the parts are made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from content_packs.http_line import HttpLine
from content_packs.transfer import Line
from courier.config import prepared
from courier.desk import Desk
from courier.ledger import Ledger
from courier.packs import Packs
from courier.spool import Spool
from courier.trust import Trust
from sync.client import Road
from sync.machine import Machine
from sync.post import Post


def open_desk(
    data: Path,
    machine: Machine | None = None,
    spool: Spool | None = None,
    road: Callable[[str], Road] = Post,
    line: Callable[[str], Line] = HttpLine,
) -> Desk:
    """Open the data folder, making it if it isn't there. The ledger is the caller's to close.

    Raises:
        LontarError: it can't be opened; the sentence says what to do.
    """
    machine = machine or Machine()
    config = prepared(data, machine.random_bytes)
    ledger = Ledger(data)
    packs = Packs(data, ledger, line)
    return Desk(config, ledger, spool or Spool(data), Trust(data), machine, packs, road)

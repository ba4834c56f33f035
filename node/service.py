"""What goes on around serving pages: news of how the last service ended, and backups when it stops cleanly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from node import backups, power
from node.incidents import Incident, What
from node.wiring import Node


@contextmanager
def in_service(node: Node) -> Iterator[None]:
    """Pages are served while the block runs. What waits should be sealed before it ends."""
    data = node.config.data
    was_cut_off = power.was_cut_off(data)
    with power.serving(data) as is_first:
        if is_first and was_cut_off:
            node.incidents.note(Incident(What.CUT, node.recorder.counts().saved))
        node.ballast.refill()
        yield
        if is_first:
            backups.keep_up(node, at_a_stop=True)

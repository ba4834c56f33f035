"""What stands on every paper and file that this laptop makes: which village it is, and when it was by its own clock."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from node.wiring import Node
from web.dates import moment_in
from web.languages import gettext as _
from web.languages import spoken
from web.zones import ZONES

if TYPE_CHECKING:
    from web.paper import Imprint


def village_line(node: Node) -> str:
    return _("Desa %(name)s", name=node.config.village_name or node.config.village)


def now_here(node: Node) -> datetime:
    """Now, in the village's zone."""
    return datetime.fromtimestamp(node.worker.wall_ms() / 1000, ZONES[node.config.settings.zone])


def imprint_of(title: str, village: str, made_at: datetime) -> Imprint:
    """What `web.paper` prints around the text, in the language of whoever asks. `made_at` must know its zone."""
    from web.paper import Imprint

    return Imprint(
        title,
        village,
        _("Dicetak %(moment)s", moment=moment_in(int(made_at.timestamp() * 1000), str(made_at.tzinfo))),
        made_at,
        _("Halaman %(page)s dari %(pages)s", page="%(page)s", pages="%(pages)s"),
        spoken(),
    )

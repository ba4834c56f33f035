"""The list of names on paper, for the wall of the village office or to be signed by those who came."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from node.letterhead import imprint_of
from node.people import Learner
from web.languages import gettext as _

FILE_NAME: Final = "daftar-peserta.pdf"
_SPARE: Final = 5
"""Empty lines at the end, for people whose names aren't in the laptop yet."""


def write_name_list(
    village: str, people: Sequence[Learner], with_pin: Collection[int], made_at: datetime
) -> bytes:
    """The finished PDF; `with_pin` holds the numbers of those who have chosen a PIN."""
    from web.paper import MUTED, Column, Paper

    title = _("Daftar peserta")
    paper = Paper(imprint_of(title, village, made_at))
    paper.heading(title)
    paper.text(
        _("%(count)s orang belajar di laptop ini. Kolom terakhir dapat ditandatangani.", count=len(people)),
        colour=MUTED,
    )
    columns = [
        Column(_("No."), 0.8, "R"),
        Column(_("Nama"), 5),
        Column(_("Jabatan"), 4),
        Column(_("PIN"), 1.6),
        Column(_("Tanda tangan"), 4),
    ]
    rows = [
        [str(place), one.name, one.position or "–", _("ada") if one.number in with_pin else _("belum"), ""]
        for place, one in enumerate(people, 1)
    ]
    rows += [[str(len(people) + place), "", "", "", ""] for place in range(1, _SPARE + 1)]
    paper.table(columns, rows, size=10)
    return paper.written()

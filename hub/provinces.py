"""Where the 38 provinces stand on a map of equal tiles, and their two letters: drawn by hand, so no map of others is needed.

Letters are those of ISO 3166-2:ID. Columns count from the west, rows from the north; neighbours stand beside each other
where ten columns allow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

COLUMNS: Final = 10
ROWS: Final = 7


@dataclass(frozen=True, slots=True)
class Tile:
    letters: str
    column: int
    row: int


TILES: Final = {
    "11": Tile("AC", 0, 0), "65": Tile("KU", 4, 0), "75": Tile("GO", 5, 0), "71": Tile("SA", 6, 0),
    "82": Tile("MU", 7, 0),
    "12": Tile("SU", 0, 1), "14": Tile("RI", 1, 1), "21": Tile("KR", 2, 1), "61": Tile("KB", 3, 1),
    "64": Tile("KI", 4, 1), "72": Tile("ST", 5, 1), "96": Tile("PD", 8, 1),
    "13": Tile("SB", 0, 2), "15": Tile("JA", 1, 2), "19": Tile("BB", 2, 2), "62": Tile("KT", 3, 2),
    "63": Tile("KS", 4, 2), "76": Tile("SR", 5, 2), "74": Tile("SG", 6, 2), "81": Tile("MA", 7, 2),
    "92": Tile("PB", 8, 2), "91": Tile("PA", 9, 2),
    "17": Tile("BE", 0, 3), "16": Tile("SS", 1, 3), "73": Tile("SN", 5, 3), "94": Tile("PT", 8, 3),
    "95": Tile("PE", 9, 3),
    "18": Tile("LA", 1, 4), "31": Tile("JK", 2, 4), "93": Tile("PS", 9, 4),
    "36": Tile("BT", 1, 5), "32": Tile("JB", 2, 5), "33": Tile("JT", 3, 5), "35": Tile("JI", 4, 5),
    "51": Tile("BA", 5, 5), "52": Tile("NB", 6, 5), "53": Tile("NT", 7, 5),
    "34": Tile("YO", 3, 6),
}  # fmt: skip
"""By the code of the province (Kemendagri)."""

"""Indonesia's provinces, regencies, districts and villages: the list, and finding one village in it by name or code.

The list is `idn-area-data` 4.0.1 under the Open Database License 1.0, kept in `region_list/` with its notice.
Names aren't unique, so a village is always shown with where it lies. Nothing of the list stays in memory.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

FOLDER: Final = Path(__file__).parent / "region_list"
SHOWN_MOST: Final = 40
TYPED_MOST: Final = 80
_PROVINCES, _REGENCIES, _DISTRICTS, _VILLAGES = (
    "provinces.csv",
    "regencies.csv",
    "districts.csv",
    "villages.csv.gz",
)
_CODE: Final = re.compile(r"(\d\d)\.?(\d\d)\.?(\d\d)\.?(\d{4})")
_TITLES: Final = {"desa", "kelurahan", "kel", "kecamatan", "kec", "kabupaten", "kab", "provinsi", "prov"}
_TWO: Final = 2


@dataclass(frozen=True, slots=True)
class Village:
    """A village and where it lies."""

    code: str
    name: str
    district: str
    regency: str
    province: str

    @property
    def place(self) -> str:
        """ "Kec. Seluma Utara, Kab. Seluma, Bengkulu"."""
        return f"Kec. {self.district}, {self.regency.replace('Kabupaten ', 'Kab. ')}, {self.province}"


@dataclass(frozen=True, slots=True)
class Found:
    """The first villages that fit, the best first; `total` is how many do."""

    villages: tuple[Village, ...]
    total: int


def read_list() -> Iterator[tuple[str, str]]:
    """(code, name) of every region, larger ones first."""
    for file in (_PROVINCES, _REGENCIES, _DISTRICTS, _VILLAGES):
        yield from _rows(file)


def find(code: str) -> Village | None:
    """The village of that code, with or without points."""
    parts = _CODE.fullmatch(code.strip())
    if parts is None:
        return None
    dotted = ".".join(parts.groups())
    named = [(code, name) for code, name in _rows(_VILLAGES) if code == dotted]
    return next(iter(_placed(named)), None)


def search(typed: str, most: int = SHOWN_MOST) -> Found:
    """Villages by what people type: a code, a name, a name and where it lies ("Sidomulyo Lampung Selatan")."""
    typed = typed[:TYPED_MOST]
    if _CODE.fullmatch(typed.strip()):
        village = find(typed)
        return Found((), 0) if village is None else Found((village,), 1)
    words = [word for word in re.findall(r"[^\W\d_]+", typed.casefold()) if word not in _TITLES]
    whole = "".join(words)
    if len(whole) < _TWO:
        return Found((), 0)
    near = [
        (code, name)
        for code, name in _rows(_VILLAGES)
        if whole in (plain := _plain(name)) or any(word in plain for word in words)
    ]
    ranked = sorted(
        (rank, village.name, village.code, village)
        for village in _placed(near)
        if (rank := _rank(village, words, whole)) is not None
    )
    return Found(tuple(village for *_order, village in ranked[:most]), len(ranked))


def _rank(village: Village, words: list[str], whole: str) -> int | None:
    """How well a village fits, 0 best; None if it doesn't. "Sido Mulyo" and "Sidomulyo" are one name."""
    name = _plain(village.name)
    if name == whole:
        return 0 if village.name.casefold() == " ".join(words) else 1
    place = village.place.casefold()
    in_name = [word for word in words if word in name]
    if in_name and all(word in name or word in place for word in words):
        if "".join(in_name) == name:
            return 2
        return 3 if name.startswith(words[0]) else 5
    if whole in name:
        return 4 if name.startswith(whole) else 6
    return None


def _plain(name: str) -> str:
    """The letters of a name alone. Most names need no more than the first line: this runs 84,000 times a search."""
    plain = name.casefold().replace(" ", "")
    return plain if plain.isalpha() else "".join(filter(str.isalpha, plain))


def _placed(rows: list[tuple[str, str]]) -> Iterator[Village]:
    """Villages with the names of what they lie in, which are looked up for these alone."""
    wanted = {code[:length] for code, _name in rows for length in (2, 5, 8)}
    names = {
        code: name
        for file in (_PROVINCES, _REGENCIES, _DISTRICTS)
        for code, name in _rows(file)
        if code in wanted
    }
    for code, name in rows:
        yield Village(code, name, *(names.get(code[:length], "") for length in (8, 5, 2)))


def _rows(file: str) -> Iterator[tuple[str, str]]:
    """(code, name) of each line; the first column is the code, the last the name."""
    with _open(FOLDER / file) as lines:
        reader = csv.reader(lines)
        next(reader)
        for row in reader:
            yield row[0], row[-1]


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")

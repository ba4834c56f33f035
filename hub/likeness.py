"""How likely two entries in lists are one person, and why. Pure: the same two give the same answer, whichever comes first.

Names are compared without titles and as today's spelling writes them (Soekardjo is Sukarjo). Compared is never everybody
with everybody: only those of one village, and those of one name in a regency (`pairs`). It finds whom an operator should
look at; it decides nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final, TypeVar

from sync.errors import N_

LEAST: Final = 50
"""From this score on (of 100) a pair is worth an operator's look."""
BLOCK_MOST: Final = 60
"""People of one village that are all compared with each other; of larger ones only those of like names."""
NAMESAKES_MOST: Final = 12
"""A name that more people of a regency bear than this says nothing about who they are."""
PAIRS_MOST: Final = 20_000
_LONG: Final = 8
"""From so many letters on two of them may differ."""
_SHORTEST: Final = 4
_REGENCY, _DISTRICT = 5, 8

_TITLE_WORDS: Final = (
    "bapak bpk pak ibu bu sdr sdri saudara saudari tn ny nn h hj haji hajjah k kh ust ustad ustadz ustadzah dr drs dra ir"
    " prof raden rd rr drg apt alm se sh spd sdi spdi sos ssos sip sap skom sag st sp spt skm sst str amd md ma msi mpd mm mh"
    " mkom mt map phd"
)
_TITLES: Final = frozenset(_TITLE_WORDS.split())
_SPELLINGS: Final = (("oe", "u"), ("dj", "j"), ("tj", "c"), ("sj", "sy"), ("nj", "ny"))
_DOUBLED: Final = re.compile(r"(.)\1+")

_T = TypeVar("_T")


class Why(Enum):
    """What speaks for one person, or against it."""

    SAME_NAME = "same-name"
    SAME_WORDS = "same-words"
    LIKE_NAME = "like-name"
    PART_OF_NAME = "part-of-name"
    SAME_VILLAGE = "same-village"
    SAME_DISTRICT = "same-district"
    SAME_POSITION = "same-position"
    SAME_COURSE = "same-course"
    TAKES_TURNS = "takes-turns"
    """One began after the other had stopped: somebody who went on at another laptop."""
    AT_ONE_TIME = "at-one-time"
    OTHER_POSITION = "other-position"


WORDS: Final[dict[Why, str]] = {
    Why.SAME_NAME: N_("Nama sama"),
    Why.SAME_WORDS: N_("Nama sama, urutannya lain"),
    Why.LIKE_NAME: N_("Nama hampir sama"),
    Why.PART_OF_NAME: N_("Nama yang satu bagian dari yang lain"),
    Why.SAME_VILLAGE: N_("Satu desa"),
    Why.SAME_DISTRICT: N_("Satu kecamatan"),
    Why.SAME_POSITION: N_("Jabatan sama"),
    Why.SAME_COURSE: N_("Pelatihan sama"),
    Why.TAKES_TURNS: N_("Yang satu mulai setelah yang lain berhenti"),
    Why.AT_ONE_TIME: N_("Belajar pada waktu yang sama"),
    Why.OTHER_POSITION: N_("Jabatan lain"),
}
_WEIGHTS: Final = {
    Why.SAME_NAME: 60,
    Why.SAME_WORDS: 52,
    Why.LIKE_NAME: 42,
    Why.PART_OF_NAME: 32,
    Why.SAME_VILLAGE: 20,
    Why.SAME_DISTRICT: 8,
    Why.SAME_POSITION: 10,
    Why.SAME_COURSE: 4,
    Why.TAKES_TURNS: 6,
    Why.AT_ONE_TIME: -12,
    Why.OTHER_POSITION: -6,
}
AGAINST: Final = frozenset(why for why, weight in _WEIGHTS.items() if weight < 0)


@dataclass(frozen=True, slots=True)
class Person:
    """One of the two. `times` is the first and last moment of learning in milliseconds since 1970, as far as known."""

    name: str
    position: str = ""
    village: str = ""
    courses: frozenset[bytes] = frozenset()
    times: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Likeness:
    """From 0 to 100, and what it is made of, the weightiest first."""

    score: int
    why: tuple[Why, ...]


@lru_cache(maxsize=65_536)
def plain(name: str) -> tuple[str, ...]:
    """The words of a name without titles, signs and case, in today's spelling; none if it was all titles."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    text = "".join(sign for sign in text if not unicodedata.combining(sign))
    parts = re.findall(r"[\w.]+", text.replace("'", "").replace("’", ""))
    return tuple(_respelled(word) for word in _without_titles(parts))


def compare(one: Person, other: Person) -> Likeness:
    """How likely the two are one person."""
    named = _names(plain(one.name), plain(other.name))
    if named is None:
        return Likeness(0, ())
    why = [named, *_places(one, other), *_positions(one, other), *_learning(one, other)]
    score = sum(_WEIGHTS[reason] for reason in why)
    why.sort(key=lambda reason: (-_WEIGHTS[reason], reason.value))
    return Likeness(max(0, min(100, score)), tuple(why))


def pairs(
    people: Sequence[_T], name: Callable[[_T], str], village: Callable[[_T], str]
) -> list[tuple[_T, _T]]:
    """Whom to compare: everybody of one village, and those of one name within a regency; each pair once.

    Large villages are divided by the beginnings of names. The work grows with the number of people and no faster.
    """
    keyed: dict[Hashable, list[int]] = {}
    villages: dict[str, list[int]] = {}
    for at, person in enumerate(people):
        words = plain(name(person))
        if not words:
            continue
        villages.setdefault(village(person), []).append(at)
        keyed.setdefault((village(person)[:_REGENCY], tuple(sorted(words))), []).append(at)
    blocks = [block for block in keyed.values() if len(block) <= NAMESAKES_MOST]
    for code, block in villages.items():
        if len(block) <= BLOCK_MOST:
            blocks.append(block)
            continue
        parts: dict[Hashable, list[int]] = {}
        for at in block:
            for word in set(plain(name(people[at]))):
                parts.setdefault((code, word[:3]), []).append(at)
        blocks += [part[:BLOCK_MOST] for part in parts.values()]
    found: dict[tuple[int, int], None] = {}
    for block in blocks:
        for place, one in enumerate(block):
            for other in block[place + 1 :]:
                if len(found) >= PAIRS_MOST * 10:
                    break
                found[min(one, other), max(one, other)] = None
    return [
        (people[one], people[other])
        for one, other in found
        if _names(plain(name(people[one])), plain(name(people[other]))) is not None
    ][:PAIRS_MOST]


def matched(wanted: Sequence[str], names: Sequence[str]) -> dict[int, int]:
    """For each wanted name (by its place) who of `names` (by place) it most likely is; nobody is taken twice."""
    scored = [
        (_WEIGHTS[why], at, place)
        for at, one in enumerate(wanted)
        for place, other in enumerate(names)
        if (why := _names(plain(one), plain(other))) is not None
    ]
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, at, place in sorted(scored, key=lambda row: (-row[0], row[1], row[2])):
        if at not in found and place not in taken:
            found[at] = place
            taken.add(place)
    return found


def distance(one: str, other: str, most: int) -> int:
    """Letters to change, add, leave out or swap with their neighbour; `most` + 1 if it is more than `most`.

    Source: Damerau (1964), in the form that moves no letter twice (optimal string alignment).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for at, sign in enumerate(one, 1):
        row = [at]
        for place, letter in enumerate(other, 1):
            cost = min(last[place] + 1, row[place - 1] + 1, last[place - 1] + (sign != letter))
            if at > 1 and place > 1 and sign == other[place - 2] and one[at - 2] == letter:
                cost = min(cost, before[place - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return min(last[-1], most + 1)


def _names(one: Sequence[str], other: Sequence[str]) -> Why | None:
    if not one or not other:
        return None
    if one == other or "".join(one) == "".join(other):
        return Why.SAME_NAME
    if sorted(one) == sorted(other):
        return Why.SAME_WORDS
    mine, theirs = ([word for word in words if word.isdigit()] for words in (one, other))
    if mine and theirs and mine != theirs:
        # Somebody told namesakes apart by numbering them.
        return None
    whole, wholly = " ".join(one), " ".join(other)
    shorter = min(len(whole), len(wholly))
    if shorter >= _SHORTEST:
        most = 2 if shorter >= _LONG else 1
        if distance(whole, wholly, most) <= most:
            return Why.LIKE_NAME
    few, many = sorted((set(one), set(other)), key=len)
    if few <= many and max(map(len, few)) >= _SHORTEST:
        return Why.PART_OF_NAME
    return None


def _places(one: Person, other: Person) -> Iterable[Why]:
    if one.village and one.village == other.village:
        yield Why.SAME_VILLAGE
    elif len(one.village) > _DISTRICT and one.village[:_DISTRICT] == other.village[:_DISTRICT]:
        yield Why.SAME_DISTRICT


def _positions(one: Person, other: Person) -> Iterable[Why]:
    mine, theirs = (" ".join(person.position.casefold().split()) for person in (one, other))
    if mine and theirs:
        yield Why.SAME_POSITION if mine == theirs else Why.OTHER_POSITION


def _learning(one: Person, other: Person) -> Iterable[Why]:
    if one.courses & other.courses:
        yield Why.SAME_COURSE
    if one.times and other.times:
        apart = one.times[1] < other.times[0] or other.times[1] < one.times[0]
        yield Why.TAKES_TURNS if apart else Why.AT_ONE_TIME


def _without_titles(parts: Sequence[str]) -> Iterable[str]:
    """S.Sos, A.Md. and S. Pd are degrees; H.Ali is Ali with a title; initials stay ("M. Yusuf" keeps its M)."""
    words: list[str] = []
    for part in parts:
        if part.replace(".", "") not in _TITLES:
            words += [word for word in part.split(".") if word]
    at = 0
    while at < len(words):
        if len(words[at]) == 1 and "".join(words[at : at + 2]) in _TITLES and at + 1 < len(words):
            at += 2
            continue
        if words[at] not in _TITLES:
            yield words[at]
        at += 1


def _respelled(word: str) -> str:
    for old, new in _SPELLINGS:
        word = word.replace(old, new)
    return _DOUBLED.sub(r"\1", word)

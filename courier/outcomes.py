"""What the officer's steps brought about, for pages and commands to tell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Collected:
    """What one look at a stick brought. `torn` parts must be copied again in their villages."""

    new: int = 0
    known: int = 0
    torn: int = 0
    size: int = 0
    keyset: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What the hub did. `asked` parts were waiting, `held` of them it had already; `later` and `skipped` stay here.

    `later`: the hub doesn't know the device yet. `skipped`: the copy here is damaged, or the hub can't read it.
    """

    asked: int = 0
    new: int = 0
    held: int = 0
    foreign: int = 0
    refused: int = 0
    later: int = 0
    skipped: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """New mail for the villages on the route."""

    villages: int = 0
    parts: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a stick carries to villages now, and what was taken off it because the hub holds it."""

    villages: int
    parts: int
    cleaned: int
    packs: int = 0

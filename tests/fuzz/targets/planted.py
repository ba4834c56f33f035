"""Faults put in on purpose: the fuzzer must find each of them."""

from __future__ import annotations

import os

from sync.errors import LontarError

from ..target import target


def _seeds() -> list[bytes]:
    return [b"lontar", b"k", b"kkk"]


@target("planted-key-error", _seeds, LontarError, planted=True)
def raises(data: bytes) -> object:
    return {byte: byte for byte in range(256) if byte != 0x80}[data[-1] if data else 0]


@target("planted-loop", _seeds, LontarError, planted=True)
def loops(data: bytes) -> None:
    while data[:1] > b"\x7f":
        pass


@target("planted-memory", _seeds, LontarError, planted=True)
def eats(data: bytes) -> int:
    return len(b"x" * (300 << 20)) if data[:1] > b"\x7f" else 0


@target("planted-death", _seeds, LontarError, planted=True)
def dies(data: bytes) -> None:
    if data[:1] > b"\x7f":
        os.abort()


@target("planted-none", _seeds, LontarError, planted=True)
def is_sound(data: bytes) -> None:
    if data[:1] > b"\x7f":
        raise LontarError("refused")

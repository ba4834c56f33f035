"""A plain mutation fuzzer, for machines that atheris has no wheel for: no coverage, but the same rules."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from .note import INPUT_MOST

_NOTABLE = (0, 1, 23, 24, 127, 128, 255)


def mutated(dice: random.Random, corpus: list[bytes]) -> bytes:
    """One of the corpus with one to eight changes."""
    data = bytearray(dice.choice(corpus))
    for _ in range(1 << dice.randrange(4)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << dice.randrange(8)
            case 1 if data:
                data[at % len(data)] = dice.choice(_NOTABLE)
            case 2:
                data[at:at] = dice.randbytes(dice.randrange(1, 9))
            case 3:
                del data[at : at + dice.randrange(1, 33)]
            case 4:
                data[at:at] = data[at : at + dice.randrange(1, 65)] * dice.randrange(1, 5)
            case 5:
                other = dice.choice(corpus)
                start = dice.randrange(len(other) + 1)
                data[at:at] = other[start : start + dice.randrange(1, 257)]
            case 6:
                size = dice.choice((1, 2, 4, 8))
                data[at : at + size] = dice.choice((0, (1 << 8 * size) - 1, 1 << 8 * size - 1)).to_bytes(
                    size, "big"
                )
    return bytes(data[:INPUT_MOST])


def fuzz(run: Callable[[bytes], None], corpus: list[bytes], seconds: float, seed: int) -> None:
    """Try mutations of `corpus` for so long."""
    dice, until = random.Random(seed), time.monotonic() + seconds
    for data in corpus:
        run(data)
    while time.monotonic() < until:
        run(mutated(dice, corpus))

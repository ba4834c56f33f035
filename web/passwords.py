"""Slow hashes of passwords: Argon2id, 19 MiB, two passes, at most two at once.

Two at once is all that a village laptop's memory should give to people who are guessing. What was hashed
with other parameters still verifies; `is_outdated` then says so. Source: OWASP Password Storage Cheat Sheet.
"""

from __future__ import annotations

import contextlib
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB: Final = 19 * 1024
AT_ONCE: Final = 2

_MMAP_THRESHOLD: Final = -3
_LARGE: Final = 1024 * 1024
_ARENA_MAX: Final = -8

_hasher: Final = PasswordHasher(time_cost=2, memory_cost=MEMORY_KIB, parallelism=1)
_turns: Final = BoundedSemaphore(AT_ONCE)


def hash_password(password: str | bytes) -> str:
    """A salted hash in Argon2's own text form."""
    with _turns:
        return _hasher.hash(password)


def password_fits(stored: str, password: str | bytes) -> bool:
    """Whether `stored` was made from `password`. A damaged hash fits nothing."""
    with _turns:
        try:
            return _hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(stored: str) -> bool:
    """Whether `stored` was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def give_memory_back() -> None:
    """Let glibc return what a hash took at once, and keep one heap for all threads.

    By itself it keeps 19 MiB for each thread that ever hashed, and a heap for each thread that ever served a page.
    Elsewhere nothing needs to be done. Source: mallopt(3), M_MMAP_THRESHOLD and M_ARENA_MAX.
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_MMAP_THRESHOLD, _LARGE)
        libc.mallopt(_ARENA_MAX, 1)

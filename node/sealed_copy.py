"""A copy of a whole village in one file that nobody can read without twelve words on paper.

The words are a random key of 96 bits, so there is nothing to guess. The file is a head and pieces, each sealed with
ChaCha20-Poly1305 under a key derived for this file (HKDF, RFC 5869); a piece knows its place and whether it is the last
(the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015), so cutting, swapping or changing shows. What
is unsealed may be used only when `unsealed` has come to its end. Pure but for the file that it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.errors import N_, MalformedError, SealError
from sync.keys import sha256
from sync.words import WORDS

SECRET_SIZE: Final = 12
PIECE: Final = 256 * 1024
SALT_SIZE: Final = 16
KEY_ID_SIZE: Final = 8
_MAGIC: Final = b"LONTAR CADANGAN 1\n"
_HEAD: Final = len(_MAGIC) + KEY_ID_SIZE + SALT_SIZE
_TAG: Final = 16
_DISTINCT: Final = 4
"""No two words of the list begin with the same letters."""


def words_of(secret: bytes) -> list[str]:
    """The key as people write it down."""
    return [WORDS[byte] for byte in secret]


def secret_of(text: str) -> bytes:
    """The key that somebody typed.

    Raises:
        MalformedError: it says which word is wrong.
    """
    typed = text.lower().replace(",", " ").split()
    if len(typed) != SECRET_SIZE:
        raise MalformedError(
            N_("Kertas pemulihan berisi %(wanted)s kata; yang diketik %(count)s kata."),
            wanted=SECRET_SIZE,
            count=len(typed),
        )
    made = bytearray()
    for at, word in enumerate(typed, start=1):
        found = [number for number, known in enumerate(WORDS) if _is_meant(word, known)]
        if len(found) != 1:
            raise MalformedError(
                N_("Kata ke-%(at)s, “%(word)s”, tidak ada dalam daftar. Periksa kertas pemulihan."),
                at=at,
                word=word[:20],
            )
        made.append(found[0])
    return bytes(made)


def key_id(secret: bytes) -> bytes:
    """What stands on the outside of a file, so that the right paper can be looked for."""
    return sha256(b"lontar/backup-key/1" + secret)[:KEY_ID_SIZE]


def sealed(secret: bytes, salt: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a file that holds `pieces`, each at most `PIECE` long. The same salt gives the same bytes."""
    head = _MAGIC + key_id(secret) + salt
    cipher = _cipher(secret, salt)
    yield head
    waiting: bytes | None = None
    count = 0
    for piece in pieces:
        if waiting is not None:
            yield _framed(cipher.encrypt(_nonce(count, last=False), waiting, head))
            count += 1
        waiting = piece
    yield _framed(cipher.encrypt(_nonce(count, last=True), waiting or b"", head))


def whose(file: BinaryIO) -> bytes:
    """The key id on the outside.

    Raises:
        SealError: this is no such file.
    """
    head = file.read(_HEAD)
    if len(head) != _HEAD or not head.startswith(_MAGIC):
        raise SealError(N_("Berkas ini bukan cadangan Lontar."))
    return head[len(_MAGIC) : len(_MAGIC) + KEY_ID_SIZE]


def unsealed(secret: bytes, file: BinaryIO) -> Iterator[bytes]:
    """The pieces of a file, in order.

    Raises:
        SealError: another key closed it, or it isn't whole.
    """
    if whose(file) != key_id(secret):
        raise SealError(N_("Kata-kata itu bukan milik cadangan ini. Cari kertas pemulihan yang lain."))
    file.seek(0)
    head = file.read(_HEAD)
    cipher = _cipher(secret, head[-SALT_SIZE:])
    following = _frame(file)
    count = 0
    while following is not None:
        here, following = following, _frame(file)
        try:
            yield cipher.decrypt(_nonce(count, last=following is None), here, head)
        except InvalidTag as problem:
            raise _torn() from problem
        count += 1
    if count == 0:
        raise _torn()


def _is_meant(word: str, known: str) -> bool:
    return word == known or (len(word) >= _DISTINCT and known.startswith(word))


def _cipher(secret: bytes, salt: bytes) -> ChaCha20Poly1305:
    derived = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"lontar/backup/1").derive(secret)
    return ChaCha20Poly1305(derived)


def _nonce(count: int, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _frame(file: BinaryIO) -> bytes | None:
    """The next sealed piece; None at the end of the file."""
    size = file.read(4)
    if not size:
        return None
    length = int.from_bytes(size, "big")
    if len(size) != 4 or not _TAG <= length <= PIECE + _TAG:
        raise _torn()
    data = file.read(length)
    if len(data) != length:
        raise _torn()
    return data


def _torn() -> SealError:
    return SealError(N_("Cadangan ini tidak utuh atau berubah. Pakai cadangan yang lain."))

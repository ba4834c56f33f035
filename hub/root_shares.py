"""The root key in the hands of several people, of whom two together can use it and one alone can't.

The seed is shared by SLIP-39 (Shamir's scheme over GF(256), 2 of n, with a digest that tells wrong shares), in the library
of the standard's authors. Each share, and a key with which its holder signs approvals, lies in a file of the holder's
own, closed by the holder's passphrase: Argon2id (RFC 9106) and ChaCha20-Poly1305 (RFC 8439). Who they are stands in a
list that the root signed. Owns `root-holders.cose` in the data folder. See docs/decisions/0018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from shamir_mnemonic import MnemonicError, combine_mnemonics, generate_mnemonics

from hub.errors import HubError
from sync import cbor, cose, limits
from sync.errors import N_, LontarError, MalformedError
from sync.keys import KEY_SIZE, RandomBytes, SigningKey

FILE: Final = "root-holders.cose"
NEEDED: Final = 2
"""Holders who together can use the root key."""
HOLDERS_MOST: Final = 16
"""More shares than SLIP-39 can number."""
PASSPHRASE_LEAST: Final = 16
"""Characters: who finds the file may guess at leisure."""

_FORMAT: Final = "lontar-bagian-akar-1"
_LIST_FORMAT: Final = 1
_LIST: Final = b"lontar/root-holders/1"
_SALT: Final = 16
_NONCE: Final = 12


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a share, and the key with which approvals are signed."""

    name: str
    public: bytes


@dataclass(frozen=True, slots=True)
class Share:
    """What one holder's file holds, opened. It alone says nothing of the root key."""

    name: str
    root: bytes
    words: str
    key: SigningKey

    def __repr__(self) -> str:
        return f"Share(name={self.name!r})"


class _File(msgspec.Struct, frozen=True):
    format: str
    name: str
    root: bytes
    salt: bytes
    sealed: bytes


def split(root: SigningKey, names: Sequence[str], random_bytes: RandomBytes) -> list[Share]:
    """Shares of a root key, one for each name; any two of them make it again.

    Raises:
        HubError: too few or too many names, or two that are the same.
    """
    if not NEEDED <= len(names) <= HOLDERS_MOST:
        raise HubError(
            N_("Kunci akar dibagi kepada %(least)s sampai %(most)s orang."), least=NEEDED, most=HOLDERS_MOST
        )
    if not all(names) or len({name.casefold() for name in names}) < len(names):
        raise HubError(N_("Tiap pemegang bagian perlu nama yang berbeda."))
    words = generate_mnemonics(1, [(NEEDED, len(names))], root.seed, iteration_exponent=0)[0]
    return [
        Share(name, root.public, said, SigningKey.generate(random_bytes))
        for name, said in zip(names, words, strict=True)
    ]


def joined(words: Sequence[str], root: bytes) -> SigningKey:
    """The root key that two shares make.

    Raises:
        HubError: they belong to different sharings, are one and the same, or make another key.
    """
    try:
        made = SigningKey.from_seed(combine_mnemonics(words[:NEEDED]))
    except (MnemonicError, ValueError) as problem:
        raise _not_together() from problem
    if made.public != root:
        raise _not_together()
    return made


def lock(share: Share, passphrase: str, random_bytes: RandomBytes) -> bytes:
    """A holder's file.

    Raises:
        HubError: the passphrase is too short.
    """
    if len(passphrase) < PASSPHRASE_LEAST:
        raise HubError(
            N_("Kata sandi bagian kunci paling sedikit %(count)s huruf, misalnya empat kata acak."),
            count=PASSPHRASE_LEAST,
        )
    salt, nonce = random_bytes(_SALT), random_bytes(_NONCE)
    plain = cbor.encode([share.words, share.key.seed])
    about = _about(share.name, share.root)
    sealed = nonce + ChaCha20Poly1305(_derived(passphrase, salt)).encrypt(nonce, plain, about)
    made = msgspec.json.encode(_File(_FORMAT, share.name, share.root, salt, sealed))
    return msgspec.json.format(made, indent=1) + b"\n"


def holder_in(data: bytes) -> str:
    """Whose file it is, without opening it.

    Raises:
        HubError: it is no holder's file.
    """
    return _read(data).name


def unlock(data: bytes, passphrase: str) -> Share:
    """What a holder's file holds.

    Raises:
        HubError: it is no such file, was changed, or the passphrase is wrong.
    """
    file = _read(data)
    nonce, sealed = file.sealed[:_NONCE], file.sealed[_NONCE:]
    try:
        plain = ChaCha20Poly1305(_derived(passphrase, file.salt)).decrypt(
            nonce, sealed, _about(file.name, file.root)
        )
        words, seed = cbor.decode(plain)
    except (InvalidTag, ValueError) as problem:
        raise HubError(
            N_("Kata sandi bagian milik %(name)s salah, atau berkasnya berubah."), name=file.name
        ) from problem
    return Share(file.name, file.root, words, SigningKey.from_seed(seed))


def sign_holders(root: SigningKey, holders: Sequence[Holder]) -> bytes:
    said = [[holder.name, holder.public] for holder in holders]
    return cose.seal(root, cbor.encode([_LIST_FORMAT, root.public, said]), _LIST)


def holders_of(data: Path, root: bytes) -> tuple[Holder, ...]:
    """Who holds shares of the root key of the hub in `data`; nobody where it was never shared.

    Raises:
        HubError: the list isn't signed by that root.
    """
    path = data / FILE
    if not path.exists():
        return ()
    try:
        envelope = cose.open_envelope(path.read_bytes(), limits.CONTROL_ITEM)
        match cbor.decode(envelope.verify(root, _LIST)):
            case [int() as version, bytes() as of, list() as said] if (version, of) == (_LIST_FORMAT, root):
                return tuple(Holder(str(name), bytes(public)) for name, public in said)
    except (LontarError, ValueError) as problem:
        raise HubError(N_("Daftar pemegang kunci akar %(path)s rusak."), path=path) from problem
    raise HubError(N_("Daftar pemegang kunci akar %(path)s rusak."), path=path)


def _read(data: bytes) -> _File:
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise MalformedError(N_("Berkas ini bukan bagian kunci akar.")) from problem
    if file.format != _FORMAT or len(file.root) != KEY_SIZE or len(file.salt) != _SALT:
        raise MalformedError(N_("Berkas ini bukan bagian kunci akar."))
    return file


def _about(name: str, root: bytes) -> bytes:
    return cbor.encode([_FORMAT, name, root])


def _derived(passphrase: str, salt: bytes) -> bytes:
    # RFC 9106, section 4, the second recommended choice: 64 MiB.
    kdf = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=64 * 1024)
    return kdf.derive(passphrase.encode())


def _not_together() -> HubError:
    return HubError(
        N_("Kedua bagian ini bukan dua bagian berbeda dari satu pembagian kunci akar pusat ini.")
    )

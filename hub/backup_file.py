"""The file of a backup of a centre: named pieces in a tar, through zstd, closed with age; written whole or not at all.

A plain tar holds `isi.tar.zst.age` and, where there is a passphrase, `kunci.age`: the key of the first, which the
passphrase opens. (The library closes only what it holds in memory with a passphrase; a key is small.) So without Lontar
`tar`, `age` and `zstd` open it: `age -d -i kunci.age isi.tar.zst.age | zstd -d | tar t`. Takes no more memory than its
largest piece, however large the centre is. Formats: https://age-encryption.org/v1, POSIX.1-1988 tar, RFC 8878.
"""

from __future__ import annotations

import fcntl
import io
import os
import tarfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyrage
import zstandard

from hub.errors import HubError
from sync.errors import N_

Piece = tuple[str, bytes]

_KEY: Final = "kunci.age"
_CONTENTS: Final = "isi.tar.zst.age"
_LEVEL: Final = 3
_PIECE_MOST: Final = 64 * 1024 * 1024
_READ: Final = 256 * 1024


class BackupError(HubError):
    code = "backup"
    exit_code = 2
    http_status = 422


@dataclass(frozen=True, slots=True)
class Closing:
    """Who will be able to open a backup: whoever knows the passphrase, and the holders of age keys."""

    passphrase: str = ""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """What a backup is opened with: its passphrase, or a file of age keys."""

    passphrase: str = ""
    identities: tuple[str, ...] = ()


def write(path: Path, pieces: Iterable[Piece], closing: Closing) -> int:
    """Write `pieces` to a new file; returns its size in bytes. What goes wrong leaves no file.

    Raises:
        BackupError: there is such a file, another backup is being written beside it, or a recipient is no age key.
    """
    recipients = [_recipient(one) for one in closing.recipients]
    if path.exists():
        raise BackupError(N_("Berkas %(path)s sudah ada. Pilih nama lain."), path=path)
    temporary = path.with_name(f".{path.name}.tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise BackupError(N_("Cadangan lain sedang ditulis ke %(path)s."), path=path) from problem
        try:
            file.truncate(0)
            with temporary.open("r+b") as into:
                _write(into, pieces, closing.passphrase, recipients)
                into.flush()
                os.fsync(into.fileno())
            size = temporary.stat().st_size
            temporary.rename(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return size


@contextmanager
def opened(path: Path, opening: Opening) -> Iterator[Iterator[Piece]]:
    """The pieces of a backup. They may be trusted to be whole only once the last has come.

    Raises:
        BackupError: it is no backup, something else opens it, or it isn't whole.
    """
    with path.open("rb") as file:
        try:
            outer = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115 - nothing of its own to close
            contents = outer.extractfile(_CONTENTS)
            key = outer.extractfile(_KEY).read(_READ) if _KEY in outer.getnames() else b""  # type: ignore[union-attr]
        except (tarfile.TarError, KeyError) as problem:
            raise BackupError(N_("Berkas ini bukan cadangan pusat Lontar.")) from problem
        assert contents is not None
        flow = _Flow(contents, _identities(key, opening))  # type: ignore[arg-type]
        try:
            yield _pieces(flow)
        finally:
            flow.close()


def _write(into: BinaryIO, pieces: Iterable[Piece], passphrase: str, recipients: list[Any]) -> None:
    if passphrase:
        key = pyrage.x25519.Identity.generate()
        recipients = [key.to_public(), *recipients]
        for data in _member(_KEY, pyrage.passphrase.encrypt(f"{key}\n".encode(), passphrase)):
            into.write(data)
    start = into.tell()
    into.write(bytes(tarfile.BLOCKSIZE))
    source = _Source(_compressed(_archive(pieces)))
    try:
        pyrage.encrypt_io(source, into, recipients)
    except pyrage.EncryptError:
        if source.problem is not None:
            raise source.problem from None
        raise
    into.flush()
    end = into.seek(0, os.SEEK_END)
    size = end - start - tarfile.BLOCKSIZE
    into.write(bytes(-size % tarfile.BLOCKSIZE + 2 * tarfile.BLOCKSIZE))
    into.seek(start)
    into.write(_header(_CONTENTS, size))


def _archive(pieces: Iterable[Piece]) -> Iterator[bytes]:
    for name, data in pieces:
        yield from _member(name, data)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _member(name: str, data: bytes) -> Iterator[bytes]:
    yield _header(name, len(data))
    yield data
    yield bytes(-len(data) % tarfile.BLOCKSIZE)


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    stream = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
    for piece in pieces:
        yield stream.compress(piece)
    yield stream.flush()


class _Source(io.RawIOBase):
    """Pieces as a file that can be read, which remembers what went wrong: age only says that something did."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")
        self.problem: BaseException | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end."""
        try:
            while not self._left:
                self._left = memoryview(next(self._pieces))
        except StopIteration:
            return b""
        except BaseException as problem:
            self.problem = problem
            raise
        data, self._left = self._left[:size], self._left[size:]
        return bytes(data)


@dataclass
class _Flow:
    """What age opens, as it comes: another thread pushes into a pipe, since age doesn't let itself be read from."""

    source: BinaryIO
    identities: list[Any]
    problem: Exception | None = None
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        reading, writing = os.pipe()
        self.pipe = os.fdopen(reading, "rb", buffering=_READ)
        self._thread = threading.Thread(target=self._push, args=(writing,), daemon=True)
        self._thread.start()

    def _push(self, writing: int) -> None:
        with os.fdopen(writing, "wb", buffering=0) as into:
            try:
                pyrage.decrypt_io(self.source, into, self.identities)
            except Exception as problem:
                self.problem = problem

    def close(self) -> None:
        """Wait until nothing more is pushed."""
        self.pipe.close()
        self._thread.join()

    def check(self) -> None:
        """
        Raises:
            BackupError: what came wasn't everything.
        """
        self._thread.join()
        if isinstance(self.problem, pyrage.DecryptError):
            raise _wrong_key() from self.problem
        if self.problem is not None:
            raise torn() from self.problem


def _pieces(flow: _Flow) -> Iterator[Piece]:
    try:
        with (
            zstandard.ZstdDecompressor().stream_reader(flow.pipe, closefd=False) as plain,
            tarfile.open(fileobj=plain, mode="r|") as archive,
        ):
            for info in archive:
                file = archive.extractfile(info)
                if file is None or info.size > _PIECE_MOST:
                    raise torn()
                yield info.name, file.read()
                archive.members = []  # type: ignore[attr-defined]  # it would remember them all
            while plain.read(_READ):
                pass
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as problem:
        # What stopped the flow explains it better than that it stopped.
        while flow.pipe.read(_READ):
            pass
        flow.check()
        raise torn() from problem
    while flow.pipe.read(_READ):
        pass
    flow.check()


def _recipient(text: str) -> Any:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as problem:
        raise BackupError(N_("%(key)s bukan kunci penerima age (age1…)."), key=text[:80]) from problem


def _identities(key: bytes, opening: Opening) -> list[Any]:
    try:
        if opening.passphrase and key:
            lines = [pyrage.passphrase.decrypt(key, opening.passphrase).decode().strip()]
        else:
            lines = [one.strip() for one in opening.identities if one.startswith("AGE-SECRET-KEY-")]
        found = [pyrage.x25519.Identity.from_str(one) for one in lines]
    except (pyrage.DecryptError, pyrage.IdentityError) as problem:
        raise _wrong_key() from problem
    if not found:
        raise _wrong_key()
    return found


def torn() -> BackupError:
    return BackupError(N_("Cadangan ini tidak utuh atau berubah. Pakai cadangan yang lain."))


def _wrong_key() -> BackupError:
    return BackupError(N_("Kata sandi itu salah, atau kunci itu bukan milik cadangan ini."))

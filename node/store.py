"""The one SQLite file of a village: one writer, any number of readers, every commit on the disk.

WAL with `synchronous=FULL`; only the writer connection checkpoints, because SQLite before 3.51.3 could
lose a WAL reset when two connections did. Whatever SQLite refuses becomes one sentence here.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from node.errors import DamagedDatabaseError, DiskFullError, NewerDatabaseError, NodeError
from sync import cbor
from sync.errors import N_

FILE: Final = "lontar.db"
VERSION: Final = 7
"""How many migrations a database of this Lontar has been through, as its `user_version` says."""
_BUSY_MS: Final = 10_000
_WAL_KEPT: Final = 256 * 1024
_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_DAMAGED_TEXTS: Final = ("quick_check", "unsupported file format")


class Store:
    """Opens the database of a data folder, creating or upgrading it."""

    def __init__(self, data: Path) -> None:
        """
        Raises:
            NewerDatabaseError, DamagedDatabaseError, DiskFullError: with what to do.
        """
        self._path = data / FILE
        self._lock = threading.RLock()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self.make_room: Callable[[], object] = lambda: None
        """Called before each commit begins, and once more when one found no room."""
        with _spoken(self._path):
            self._writer = sqlite3.connect(
                self._path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
            except BaseException as problem:
                # At once: a connection that lingers would remove the files of a database that takes this one's place.
                self._writer.close()
                if isinstance(
                    problem, UnicodeDecodeError
                ):  # sqlite3's own, where names of tables are damaged
                    raise damaged(self._path) from problem
                raise

    def _prepare(self) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "trusted_schema=OFF",
            "secure_delete=ON",
            "foreign_keys=ON",
            "wal_autocheckpoint=256",
            f"journal_size_limit={_WAL_KEPT}",
        ):
            self._writer.execute(f"PRAGMA {pragma}")
        if self._writer.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check")
        if self._writer.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            self._migrate()

    def _migrate(self) -> None:
        # Here, because sqlite-utils takes 9 MB that a laptop with a database of this version never needs.
        from node import migrations

        if migrations.is_newer(self._writer):
            raise NewerDatabaseError(
                N_(
                    "Data di %(path)s dibuat oleh Lontar yang lebih baru. Perbarui Lontar; data tidak diubah."
                ),
                path=self._path,
            )
        migrations.apply(self._writer)
        self._writer.execute(f"PRAGMA user_version={VERSION}")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction; what it wrote is on the disk when the block has ended, or none of it is."""
        with self._lock, _spoken(self._path):
            if self._writer.in_transaction:
                yield self._writer
                return
            self.make_room()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                self.make_room()
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection of this thread that can't write."""
        with _spoken(self._path):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = sqlite3.connect(
                    self._path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
                )
                connection.execute("PRAGMA query_only=ON")
                connection.execute("PRAGMA trusted_schema=OFF")
                connection.execute("PRAGMA wal_autocheckpoint=0")
                self._local.connection = connection
                self._readers.append(connection)
            yield connection

    def get(self, key: str, default: Any = None) -> Any:
        """A small setting (anything deterministic CBOR can hold)."""
        with self.read() as db:
            row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return default if row is None else cbor.decode(row[0])

    def put(self, key: str, value: object) -> None:
        with self.write() as db:
            db.execute(
                "INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, cbor.encode(value)),
            )

    def close(self) -> None:
        """Close every connection, so that SQLite folds the WAL into the one file."""
        with self._lock:
            for reader in self._readers:
                reader.close()
            self._writer.close()


@contextmanager
def _spoken(path: Path) -> Iterator[None]:
    """Turn what SQLite says into what a person can do."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
        if code in _FULL:
            raise DiskFullError(
                N_(
                    "Penyimpanan penuh atau tidak dapat ditulis. Yang sudah tersimpan aman; kosongkan ruang lalu ulangi."
                )
            ) from problem
        if code in _DAMAGED or str(problem) in _DAMAGED_TEXTS:
            raise damaged(path) from problem
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            raise NodeError(
                N_("Folder data %(path)s tidak dapat ditulis. Periksa izinnya."), path=path
            ) from problem
        raise


def damaged(path: Path) -> DamagedDatabaseError:
    return DamagedDatabaseError(
        N_("Basis data %(path)s rusak. Jangan dihapus: pulihkan dari cadangan atau hubungi Dinas PMD."),
        path=path,
    )

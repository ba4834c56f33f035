"""Opens the hub's database: SQLite by default, PostgreSQL by URL; creates and upgrades its tables.

Every transaction that writes takes its locks at once (`BEGIN IMMEDIATE` on SQLite, the log's row on
PostgreSQL), so two workers never find out halfway that they stand in each other's way.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Table, create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hub import policies
from hub.errors import BusyError, NewerDatabaseError
from sync.errors import N_
from web.data_folder import DataFolderError

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
READ_ONLY: Final = "lontar_read"
"""The execution option of connections that read and change nothing."""
_USED: Final = "lontar_used"
_RESTED_S: Final = 5.0
_AWAY: Final = N_("Basis data pusat sedang tidak dapat menyimpan. Data aman di perangkat; coba lagi nanti.")
_NARROWED: Final = "lontar_narrowed"


def open_engine(url: str) -> Engine:
    """An engine for `url`; nothing is read or written yet. Its errors say no values: names may be among them.

    Raises:
        DataFolderError: that is no address of a database.
    """
    try:
        is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if not is_sqlite:
            engine = create_engine(url, hide_parameters=True)
            event.listen(engine, "checkout", partial(_prove_alive, engine.dialect))
            for moment in ("connect", "checkin"):
                event.listen(engine, moment, _note_use)
            return engine
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as problem:
        raise DataFolderError(
            N_("Alamat basis data itu tidak dikenal. Contoh: postgresql+psycopg://nama@host/lontar")
        ) from problem
    engine, narrowed = _sqlite(url), _sqlite(url)
    event.listen(narrowed, "connect", policies.prepare_sqlite)
    event.listen(engine, "engine_disposed", lambda _: narrowed.dispose())
    engine.update_execution_options(**{_NARROWED: narrowed})
    return engine


def narrowed(engine: Engine) -> Engine:
    """Whose connections show nothing until `policies.narrow` says what."""
    found = engine.get_execution_options().get(_NARROWED, engine)
    assert isinstance(found, Engine)
    return found


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes.

    Raises:
        BusyError: the database can't take it now (full, locked, gone); nothing was changed.
    """
    with _spoken(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads, and never waits for writers."""
    with _connected(engine) as connection:
        yield connection


@contextmanager
def asking(engine: Engine) -> Iterator[Connection]:
    """As `reading`, for a question or two that need no transaction: that saves PostgreSQL its beginning and its end."""
    is_sqlite = engine.dialect.name == "sqlite"
    with _connected(engine, **({} if is_sqlite else {"isolation_level": "AUTOCOMMIT"})) as connection:
        yield connection


@contextmanager
def reading_still(engine: Engine) -> Iterator[Connection]:
    """One transaction that reads everything as it stands at its beginning, however long it takes.

    Raises:
        BusyError: the database can't be reached, or went away.
    """
    is_sqlite = engine.dialect.name == "sqlite"
    still: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _connected(engine, **({} if is_sqlite else still)) as connection:
        if not is_sqlite:
            # An account from which rows are hidden must be refused, not be told a part.
            connection.exec_driver_sql("set local row_security = off")
        yield connection


@contextmanager
def _connected(engine: Engine, **options: Any) -> Iterator[Connection]:
    """A connection that reads."""
    options[READ_ONLY] = True
    with _spoken(), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def upgrade(engine: Engine) -> None:
    """Create the tables or bring them to this version.

    Raises:
        NewerDatabaseError: a later Lontar has upgraded this database; nothing is touched.
    """
    refuse_newer(engine)
    with writing(engine) as connection:
        upgrade_within(connection)


def upgrade_within(connection: Connection, to: str | None = None) -> None:
    """Bring the tables to a version, this software's if none is named, within a transaction that writes."""
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, to or own_revision())
    if to is None:
        policies.install(connection)


def refuse_newer(engine: Engine) -> None:
    """
    Raises:
        NewerDatabaseError: the database is from a later Lontar.
        DataFolderError: it can't be opened at all.
    """
    try:
        with engine.connect() as connection:
            current = revision(connection)
    except OperationalError as problem:
        raise DataFolderError(
            N_("Basis data %(url)s tidak dapat dibuka. Periksa alamat dan izinnya."),
            url=engine.url.render_as_string(hide_password=True),
        ) from problem
    if current is not None and current not in revisions():
        raise NewerDatabaseError(
            N_("Basis data ini dibuat oleh Lontar yang lebih baru. Perbarui Lontar; data tidak diubah.")
        )


def revision(connection: Connection) -> str | None:
    """Which version of the tables this database has; None where there are none."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def revisions() -> frozenset[str]:
    """The versions of the tables that this software knows."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions())


@cache
def own_revision() -> str:
    """Which version of the tables this software works with."""
    head = ScriptDirectory.from_config(_alembic()).get_current_head()
    assert head is not None
    return head


def lock(connection: Connection, name: str) -> None:
    """Let one transaction at a time go on from here for `name`, until it ends; the others wait.

    Rows can't be locked for this: they become visible in another order than their numbers, so that two who lock "all
    that wait, by number" can hold what the other wants.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def driver_placeholder(connection: Connection) -> str:
    """How the driver under `connection` marks a parameter."""
    return "?" if connection.dialect.name == "sqlite" else "%s"


def insert_or_ignore(connection: Connection, table: Table) -> Any:
    """An INSERT that can be told `on_conflict_do_nothing`, which both databases spell in their dialect."""
    return insert_of(connection.dialect.name, table)


def insert_of(dialect: str, table: Table) -> Any:
    """As `insert_or_ignore`, for statements that are built before there is a connection."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def insert_rows(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, object]], known_stay: bool = False
) -> None:
    """Insert rows that all have the same columns; with `known_stay`, those that aren't there yet.

    PostgreSQL is given one array a column, which costs it and its driver a fraction of a statement a row.
    """
    if not rows:
        return
    names = list(rows[0])
    head = f"INSERT INTO {table.name} ({', '.join(names)})"
    tail = " ON CONFLICT DO NOTHING" if known_stay else ""
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(names))
        values = [tuple(row[name] for name in names) for row in rows]
        connection.exec_driver_sql(f"{head} VALUES ({places}){tail}", values)
        return
    types = [table.c[name].type.compile(connection.dialect) for name in names]
    arrays = ", ".join(f"%s::{type_}[]" for type_ in types)
    columns = tuple([row[name] for row in rows] for name in names)
    connection.exec_driver_sql(f"{head} SELECT * FROM unnest({arrays}){tail}", columns)  # noqa: S608


def _alembic() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["configure_logger"] = False
    return config


def _note_use(connection: Any, record: Any) -> None:
    record.info[_USED] = time.monotonic()


def _prove_alive(dialect: Any, connection: Any, record: Any, proxy: object) -> None:
    """Ask the server whether it is there still, if this connection has rested: a sync takes one six times in a row."""
    if time.monotonic() - record.info[_USED] < _RESTED_S:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as problem:
        raise DisconnectionError from problem


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 30}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    only_reads = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")


def is_away(problem: DBAPIError) -> bool:
    """Whether the database was full, locked or gone, rather than asked for something wrong."""
    return isinstance(problem, OperationalError) or problem.connection_invalidated


@contextmanager
def _spoken() -> Iterator[None]:
    try:
        yield
    except DBAPIError as problem:
        if is_away(problem):
            raise BusyError(_AWAY) from problem
        raise
    except PoolTimeoutError as problem:
        # Everybody else's work holds the connections.
        raise BusyError(_AWAY) from problem

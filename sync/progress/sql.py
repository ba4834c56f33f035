"""The rows as SQL that SQLite and PostgreSQL both understand, made from their declaration.

Only texts are made here; the stores run them. Placeholders are the caller's ("?" or "%s").
"""

from __future__ import annotations

from typing import Final

from sync.progress.rows import Join, Row

_LARGER: Final = {
    "sqlite": {Join.MAX: "max", Join.MIN: "min"},
    "postgresql": {Join.MAX: "greatest", Join.MIN: "least"},
}


def create_table(row: Row) -> str:
    """The table of a row in SQLite; its key is its order on disk."""
    key = "".join(f"{name} INTEGER NOT NULL, " for name in row.key)
    columns = "".join(
        f"{name} INTEGER{' NOT NULL DEFAULT 0' if join is Join.SUM else ''}, "
        for name, join in row.columns.items()
    )
    return f"CREATE TABLE {row.name} ({key}{columns}PRIMARY KEY ({', '.join(row.key)})) WITHOUT ROWID"


def upsert(row: Row, dialect: str, placeholder: str) -> str:
    """Insert a row or join it into the one that is there."""
    places = ", ".join([placeholder] * len([*row.key, *row.columns]))
    return _upsert(row, dialect, f"VALUES ({places})")


def upsert_columns(row: Row, placeholder: str) -> str:
    """As `upsert` for many rows with different keys at once, given as one array a column; PostgreSQL."""
    places = ", ".join([f"{placeholder}::bigint[]"] * len([*row.key, *row.columns]))
    return _upsert(row, "postgresql", f"SELECT * FROM unnest({places})")  # noqa: S608 - names are ours


def _upsert(row: Row, dialect: str, values: str) -> str:
    names = ", ".join([*row.key, *row.columns])
    joined = ", ".join(
        f"{name} = {_joined(row, name, join, dialect)}" for name, join in row.columns.items()
    )
    return (
        f"INSERT INTO {row.name} ({names}) {values} "
        f"ON CONFLICT ({', '.join(row.key)}) DO UPDATE SET {joined}"
    )


def _joined(row: Row, name: str, join: Join, dialect: str) -> str:
    old, new = f"{row.name}.{name}", f"excluded.{name}"
    if join is Join.SUM:
        return f"{old} + {new}"
    return f"coalesce({_LARGER[dialect][join]}({old}, {new}), {old}, {new})"

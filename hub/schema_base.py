"""What every table of the hub is made with."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, MetaData

metadata: Final = MetaData()

Key: Final = BigInteger().with_variant(Integer, "sqlite")
"""Numbers of rows: large ones on PostgreSQL, SQLite's own."""


def primary_key() -> Column[int]:
    return Column("pk", Key, primary_key=True, autoincrement=True)

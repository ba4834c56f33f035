"""The hub's table of rosters. See `schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from hub.schema_base import in_place, metadata, primary_key

# Owned by `rosters`: who works in each village by the offices' own lists, whether they learn or not.
rosters = Table(
    "rosters",
    metadata,
    primary_key(),
    Column("village", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("added_ms", BigInteger, nullable=False),
    Index("ix_rosters_village", "village"),
    info=in_place("village").info,
)

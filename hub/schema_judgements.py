"""The hub's table of what operators decided about entries that were kept apart. See `schema`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

from hub.schema_base import metadata, primary_key, with_row

# Owned by `quarantine`. Written once: who decides otherwise adds a row. What counts now stands in segments.rejected.
judgements = Table(
    "judgements",
    metadata,
    primary_key(),
    Column("device", ForeignKey("devices.pk"), nullable=False),
    # The segment by its log and id: its row may be written again while it waits for its path.
    Column("log", ForeignKey("logs.pk"), nullable=False),
    Column("segment", LargeBinary, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("accepted", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_ms", BigInteger, nullable=False),
    # The name of the account; empty if a command or an earlier Lontar decided.
    Column("decided_by", Text, nullable=False),
    Index("ix_judgements_segment", "log", "segment"),
    Index("ix_judgements_device", "device"),
    info=with_row("device", "devices").info,
)

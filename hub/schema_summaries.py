"""Tables that only make pages fast: what is in them can be made again. See `schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from hub.schema_base import exactly, in_place, metadata

# Owned by `timeline`, and made again with what `merge` owns. On PostgreSQL the index is on the bytes of the code.
completions = Table(
    "completions",
    metadata,
    Column("learner", ForeignKey("learners.pk"), primary_key=True, autoincrement=False),
    Column("pack", ForeignKey("packs.pk"), primary_key=True, autoincrement=False),
    # Where the device is that recorded it.
    Column("village", Text, nullable=False),
    # When it probably was; None if nothing can be said, as in a log that forked.
    Column("completed_ms", BigInteger),
    # The month in the village's zone, as 2026-11; empty if a clock that can't be believed is all there is.
    Column("month", Text, nullable=False),
    Index("ix_completions_village", "village", "month"),
    info=in_place("village").info,
)

# Owned by `kept`: results that took long to work out, each for the operators of one scope.
kept_results = Table(
    "kept_results",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("made_ms", BigInteger, nullable=False),
    # JSON.
    Column("result", Text, nullable=False),
    info=exactly("scope").info,
)

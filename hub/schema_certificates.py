"""The hub's table of certificates. See `schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from hub.schema_base import in_place, metadata, primary_key

# Owned by `certificates`. The number is made of the primary key, so it is there only after it. `learner` is an identity:
# who that person is may change when people are merged.
certificates = Table(
    "certificates",
    metadata,
    primary_key(),
    Column("number", Text, unique=True),
    Column("learner", LargeBinary, nullable=False),
    Column("course_key", LargeBinary, nullable=False),
    Column("village", Text, nullable=False),
    Column("issued_ms", BigInteger, nullable=False),
    # The claim under this hub's seal, or under that of the hub below that issued it.
    Column("sealed", LargeBinary, nullable=False),
    Column("withdrawn_ms", BigInteger),
    Column("reason", Text),
    Index("ix_certificates_learner", "learner", "course_key"),
    Index("ix_certificates_village", "village"),
    info=in_place("village").info,
)

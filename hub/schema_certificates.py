"""The hub's tables of certificates. See `schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text

from hub.schema_base import EVERYONE, in_place, metadata, primary_key

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

# Owned by `certificate_rules`. What this hub asks for beyond what the course itself does; without a row, nothing.
certificate_rules = Table(
    "certificate_rules",
    metadata,
    Column("course_key", LargeBinary, primary_key=True),
    # The best final test, in hundredths of a percent; how often final tests may have been tried; seconds of learning.
    Column("score_least", Integer),
    Column("attempts_most", Integer),
    Column("seconds_least", Integer),
    # 1 if a person confirms each one.
    Column("by_hand", SmallInteger, nullable=False),
    info=EVERYONE.info,
)

# Owned by `certificate_rules`: whom an operator refused, by the identity that was asked for.
certificate_refusals = Table(
    "certificate_refusals",
    metadata,
    Column("learner", LargeBinary, primary_key=True),
    Column("course_key", LargeBinary, primary_key=True),
    Column("village", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("refused_ms", BigInteger, nullable=False),
    info=in_place("village").info,
)

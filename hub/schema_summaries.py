"""Tables that only make pages fast: what is in them can be made again. See `schema`."""

from __future__ import annotations

from typing import Final

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

from hub.schema_base import EVERYONE, exactly, in_place, metadata

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

# Owned by `courses`: which lessons of a pack are tests, before learning (0) and after it (1).
test_lessons = Table(
    "test_lessons",
    metadata,
    Column("manifest_hash", LargeBinary, primary_key=True),
    Column("lesson", Integer, primary_key=True, autoincrement=False),
    Column("is_after", SmallInteger, nullable=False),
    info=EVERYONE.info,
)

STEPS: Final = 10
"""Scores of final tests are counted in as many steps."""
EVERYBODY: Final = b""
"""In place of a course: the people of a village, whatever they learn."""
UNDER_WAY: Final = "-"
"""In place of a month: not completed. Completed in a month that nobody knows is an empty one."""

# Owned by `summaries`. Each person counts in one village, that of the identity that pages speak of; in each course that
# the person has begun, in the row of the month of completion. Scores are hundredths of a percent.
summaries = Table(
    "summaries",
    metadata,
    Column("village", Text, primary_key=True),
    Column("course_key", LargeBinary, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("people", Integer, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    # How many have done the final test, and the sum of their best scores.
    Column("scored", Integer, nullable=False),
    Column("score_sum", BigInteger, nullable=False),
    # How many have done a test before too, and the sums of their best scores in both.
    Column("paired", Integer, nullable=False),
    Column("before_sum", BigInteger, nullable=False),
    Column("after_sum", BigInteger, nullable=False),
    *(Column(f"step{at}", Integer, nullable=False) for at in range(STEPS)),
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

"""The hub's tables of sums a village, which pages of regions add up. Owned by `figures`. See `schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from hub.schema_base import in_place, metadata

# Of people with one identity: those with several are counted when a page opens, once however many villages they are in.
village_figures = Table(
    "village_figures",
    metadata,
    Column("village", Text, primary_key=True),
    Column("learners", Integer, nullable=False),
    Column("completions", Integer, nullable=False),
    Column("entries", BigInteger, nullable=False),
    info=in_place("village").info,
)

village_courses = Table(
    "village_courses",
    metadata,
    Column("village", Text, primary_key=True),
    Column("course_key", LargeBinary, primary_key=True),
    Column("started", Integer, nullable=False),
    Column("completed", Integer, nullable=False),
    # Each person's best final test, in hundredths of a percent, and how many have one.
    Column("score_sum", BigInteger, nullable=False),
    Column("scores", Integer, nullable=False),
    info=in_place("village").info,
)

# Villages whose sums are older than what was merged: pages count them anew until `figures.refresh` has.
stale_villages = Table(
    "stale_villages",
    metadata,
    Column("village", Text, primary_key=True),
    info=in_place("village").info,
)

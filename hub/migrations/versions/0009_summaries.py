"""When courses were completed, what each village has learned, and results of pages that are kept for a while.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from hub import courses

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "completions",
        sa.Column("learner", _KEY, sa.ForeignKey("learners.pk"), primary_key=True, autoincrement=False),
        sa.Column("pack", _KEY, sa.ForeignKey("packs.pk"), primary_key=True, autoincrement=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("completed_ms", sa.BigInteger()),
        sa.Column("month", sa.Text(), nullable=False),
    )
    op.create_table(
        "kept_results",
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column("scope", sa.Text(), primary_key=True),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
    )
    op.create_table(
        "test_lessons",
        sa.Column("manifest_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("lesson", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("is_after", sa.SmallInteger(), nullable=False),
    )
    courses.note_tests(op.get_bind())
    op.create_table(
        "summaries",
        sa.Column("village", sa.Text(), primary_key=True),
        sa.Column("course_key", sa.LargeBinary(), primary_key=True),
        sa.Column("month", sa.Text(), primary_key=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("score_sum", sa.BigInteger(), nullable=False),
        sa.Column("paired", sa.Integer(), nullable=False),
        sa.Column("before_sum", sa.BigInteger(), nullable=False),
        sa.Column("after_sum", sa.BigInteger(), nullable=False),
        *(sa.Column(f"step{at}", sa.Integer(), nullable=False) for at in range(10)),
    )
    bytes_of = ' collate "C"' if op.get_bind().dialect.name == "postgresql" else ""
    op.execute(f"create index ix_completions_village on completions (village{bytes_of}, month)")
    if bytes_of:
        op.execute(f"create index ix_summaries_village_bytes on summaries (village{bytes_of})")

"""Sums a village, so that a page of the nation adds up villages instead of people; who has several identities.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "village_figures",
        sa.Column("village", sa.Text(), primary_key=True),
        sa.Column("learners", sa.Integer(), nullable=False),
        sa.Column("completions", sa.Integer(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "village_courses",
        sa.Column("village", sa.Text(), primary_key=True),
        sa.Column("course_key", sa.LargeBinary(), primary_key=True),
        sa.Column("started", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("score_sum", sa.BigInteger(), nullable=False),
        sa.Column("scores", sa.Integer(), nullable=False),
    )
    op.create_table("stale_villages", sa.Column("village", sa.Text(), primary_key=True))
    op.execute("insert into stale_villages select distinct village from devices")
    op.add_column("learners", sa.Column("joined", sa.SmallInteger(), nullable=False, server_default="0"))
    op.execute(
        "update learners set joined = 1"
        " where person in (select person from learners group by person having count(*) > 1)"
    )
    for table, column, rows in (("learners", "joined", "joined = 1"), ("segments", "state", "state <> 2")):
        where = sa.text(rows)
        op.create_index(f"ix_{table}_{column}", table, [column], sqlite_where=where, postgresql_where=where)

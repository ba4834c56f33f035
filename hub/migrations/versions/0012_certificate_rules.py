"""What a hub asks for before it certifies, and whom somebody refused.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "certificate_rules",
        sa.Column("course_key", sa.LargeBinary(), primary_key=True),
        sa.Column("score_least", sa.Integer()),
        sa.Column("attempts_most", sa.Integer()),
        sa.Column("seconds_least", sa.Integer()),
        sa.Column("by_hand", sa.SmallInteger(), nullable=False),
    )
    op.create_table(
        "certificate_refusals",
        sa.Column("learner", sa.LargeBinary(), primary_key=True),
        sa.Column("course_key", sa.LargeBinary(), primary_key=True),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("refused_ms", sa.BigInteger(), nullable=False),
    )

"""Who decided what about entries that were kept apart, and when, so that it can be decided otherwise.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "judgements",
        sa.Column("pk", key, primary_key=True),
        sa.Column("device", key, sa.ForeignKey("devices.pk"), nullable=False),
        sa.Column("log", key, sa.ForeignKey("logs.pk"), nullable=False),
        sa.Column("segment", sa.LargeBinary(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_ms", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
    )
    op.create_index("ix_judgements_segment", "judgements", ["log", "segment"])
    op.create_index("ix_judgements_device", "judgements", ["device"])

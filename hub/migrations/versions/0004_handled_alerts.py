"""Alerts that an operator has dealt with: who, when.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alerts", sa.Column("handled_ms", sa.BigInteger(), nullable=True))
    op.add_column("alerts", sa.Column("handled_by", sa.Text(), nullable=True))

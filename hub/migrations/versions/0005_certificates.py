"""Certificates that this hub issued, or that a hub below it did.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "certificates",
        sa.Column("pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("number", sa.Text(), unique=True),
        sa.Column("learner", sa.LargeBinary(), nullable=False),
        sa.Column("course_key", sa.LargeBinary(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("withdrawn_ms", sa.BigInteger()),
        sa.Column("reason", sa.Text()),
    )
    op.create_index("ix_certificates_learner", "certificates", ["learner", "course_key"])
    op.create_index("ix_certificates_village", "certificates", ["village"])

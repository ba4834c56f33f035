"""Mail that couriers fetch bit by bit; rejections that say which segment of a log that forked.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_parts",
        sa.Column(
            "device",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("version", sa.LargeBinary(), nullable=False),
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.pk"],
        ),
        sa.PrimaryKeyConstraint("device", "version", "idx"),
    )
    op.create_table(
        "rejections_2",
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("segment", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", "first_seq", "segment"),
    )
    op.execute("INSERT INTO rejections_2 SELECT log, first_seq, '' FROM rejections")
    op.drop_table("rejections")
    op.rename_table("rejections_2", "rejections")

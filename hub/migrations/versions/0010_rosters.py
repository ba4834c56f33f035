"""Lists of who works in each village; what is kept apart and what was rejected, found at once.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rosters",
        sa.Column("pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_rosters_village", "rosters", ["village"])
    for name, condition in (("apart", "state = 4"), ("rejected", "rejected = 1")):
        where = sa.text(condition)
        op.create_index(
            f"ix_segments_{name}", "segments", ["log"], sqlite_where=where, postgresql_where=where
        )
    is_open = sa.text("complete_ms is null")
    op.create_index(
        "ix_bundles_road", "bundles", ["device"], sqlite_where=is_open, postgresql_where=is_open
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute('create index ix_rosters_village_bytes on rosters (village collate "C")')

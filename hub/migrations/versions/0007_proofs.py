"""Who is logged in as rows of their own; second factors and passkeys.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "sittings",
        sa.Column("sitting", sa.LargeBinary(), primary_key=True),
        sa.Column("operator", key, sa.ForeignKey("operators.pk"), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("proved_ms", sa.BigInteger(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
    )
    op.create_index("ix_sittings_operator", "sittings", ["operator"])
    op.create_table(
        "second_factors",
        sa.Column("operator", key, sa.ForeignKey("operators.pk"), primary_key=True, autoincrement=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("since_ms", sa.BigInteger()),
        sa.Column("step", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("recovery", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "passkeys",
        sa.Column("pk", key, primary_key=True),
        sa.Column("operator", key, sa.ForeignKey("operators.pk"), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger()),
    )
    op.create_index("ix_passkeys_operator", "passkeys", ["operator"])
    # Everybody logs in again: where they were logged in is kept elsewhere now.
    op.execute("delete from settings where key like 'sitting/%'")

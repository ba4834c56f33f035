"""What each operator's account is for, and where; villages found by the bytes of their codes.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("operators") as table:
        table.alter_column("password_hash", existing_type=sa.Text(), nullable=True)
        table.add_column(sa.Column("role", sa.Text(), nullable=False, server_default="operator"))
        table.add_column(sa.Column("scope", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("made_ms", sa.BigInteger(), nullable=False, server_default="0"))
        table.add_column(sa.Column("ended_ms", sa.BigInteger()))
    if op.get_bind().dialect.name == "postgresql":
        for table_name in ("devices", "certificates"):
            op.execute(f'create index ix_{table_name}_village_bytes on {table_name} (village collate "C")')

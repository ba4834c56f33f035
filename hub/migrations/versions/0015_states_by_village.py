"""Which villages have a laptop, and in what state, read from an index alone.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_devices_village", "devices")
    op.create_index("ix_devices_village", "devices", ["village", "state"])

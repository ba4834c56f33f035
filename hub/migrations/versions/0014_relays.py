"""The few hubs below this one, and devices that wait, found without looking at every village.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_relay = sa.text("length(village) < 13")
    op.create_index("ix_devices_state", "devices", ["state"])
    op.create_index(
        "ix_devices_relays", "devices", ["village"], sqlite_where=is_relay, postgresql_where=is_relay
    )

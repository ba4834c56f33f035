"""The hub's tables for programs of others: keys that read, webhooks, and what waits to be delivered. See `schema`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from hub.schema_base import in_place, metadata, primary_key, with_row

# Owned by `tokens`.
api_tokens = Table(
    "api_tokens",
    metadata,
    primary_key(),
    # All that is kept of the token itself.
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    # A region's code, or empty for the nation.
    Column("scope", Text, nullable=False),
    Column("sees_names", SmallInteger, nullable=False),
    # The name of the account that made it.
    Column("made_by", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Column("ended_ms", BigInteger),
    # How often it asked in the minute that began then.
    Column("minute_ms", BigInteger, nullable=False, server_default="0"),
    Column("asked", Integer, nullable=False, server_default="0"),
    info=in_place("scope").info,
)

# Owned by `webhooks`.
webhooks = Table(
    "webhooks",
    metadata,
    primary_key(),
    Column("url", Text, nullable=False),
    # 32 bytes that sign what is delivered; the receiver holds the same.
    Column("secret", LargeBinary, nullable=False),
    # What it is told of, each between two spaces.
    Column("kinds", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    # What went wrong last, and since when nothing arrives; both empty while all is well.
    Column("problem", Text, nullable=False, server_default=""),
    Column("failing_ms", BigInteger),
    Column("arrived_ms", BigInteger),
    info=in_place("scope").info,
)

# Owned by `outbox`. `id` names what happened: the same for all webhooks and all tries.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    primary_key(),
    Column("webhook", ForeignKey("webhooks.pk"), nullable=False),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    # When to try next; None once it has arrived or was given up.
    Column("due_ms", BigInteger),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("arrived_ms", BigInteger),
    UniqueConstraint("webhook", "id", name="uq_webhook_deliveries"),
    Index("ix_webhook_deliveries_due", "due_ms"),
    info=with_row("webhook", "webhooks").info,
)

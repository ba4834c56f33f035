"""The hub's tables of the road without a signal: couriers, what they carry, what this hub says. See `schema`."""

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
)

from hub.schema_base import in_place, metadata, on_the_way, primary_key, with_row

# Owned by `couriers`. Without a key until the courier has used its code.
couriers = Table(
    "couriers",
    metadata,
    primary_key(),
    Column("name", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("courier", LargeBinary, unique=True),
    Column("public_key", LargeBinary),
    Column("state", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("last_contact_ms", BigInteger),
    info=in_place("region").info,
)

# Owned by `ledger`. What couriers say they carry, each part once for each courier.
custody = Table(
    "custody",
    metadata,
    Column("courier", ForeignKey("couriers.pk"), primary_key=True, autoincrement=False),
    Column("bundle", LargeBinary, primary_key=True),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("seen_s", BigInteger, nullable=False),
    Column("noted_ms", BigInteger, nullable=False),
    Index("ix_custody_bundle", "bundle"),
    info=with_row("courier", "couriers").info,
)

# Owned by `ledger`. Bundles of devices that somebody has mentioned or that arrived.
bundles = Table(
    "bundles",
    metadata,
    Column("bundle", LargeBinary, primary_key=True),
    Column("device", ForeignKey("devices.pk")),
    Column("parts", Integer, nullable=False),
    Column("received", Integer, nullable=False),
    # When it was first heard of, on any road, and when its last part came.
    Column("noted_ms", BigInteger, nullable=False),
    Column("complete_ms", BigInteger),
    Index("ix_bundles_device", "device"),
    info=with_row("device", "devices").info,
)

# Most have arrived, and nobody asks about those.
_is_on_the_road = bundles.c.complete_ms.is_(None)
Index("ix_bundles_road", bundles.c.device, sqlite_where=_is_on_the_road, postgresql_where=_is_on_the_road)

# Owned by `ledger`. Parts that arrived, by the hash at their end.
parts = Table(
    "parts",
    metadata,
    Column("part", LargeBinary, primary_key=True),
    Column("bundle", LargeBinary, nullable=False),
    Column("idx", Integer, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    info=with_row("bundle", "bundles", "bundle").info,
)

# Owned by `downlink`: what this hub says, a log for each scope.
hub_logs = Table(
    "hub_logs",
    metadata,
    primary_key(),
    Column("log", LargeBinary, nullable=False, unique=True),
    Column("scope", Text, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    # 1 when nothing more is written to it: another log of this scope goes on.
    Column("closed", SmallInteger, nullable=False),
    Column("tip_idx", Integer, nullable=False),
    Column("tip_id", LargeBinary, nullable=False),
    Column("end_seq", BigInteger, nullable=False),
    Column("end_t", BigInteger, nullable=False),
    Index("ix_hub_logs_scope", "scope"),
    info=on_the_way("scope").info,
)

hub_segments = Table(
    "hub_segments",
    metadata,
    Column("log", ForeignKey("hub_logs.pk"), primary_key=True, autoincrement=False),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    # Owned by `passed_on`.
    Column("relayed", SmallInteger, nullable=False, server_default="0"),
    info=with_row("log", "hub_logs").info,
)

# Decisions that no segment holds yet; fields as deterministic CBOR.
hub_pending = Table(
    "hub_pending",
    metadata,
    primary_key(),
    Column("scope", Text, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("fields", LargeBinary, nullable=False),
    Column("hub_ms", BigInteger, nullable=False),
    Index("ix_hub_pending_scope", "scope"),
    info=on_the_way("scope").info,
)

# What each device holds of them once it has taken what was last sent to it.
downlinks = Table(
    "downlinks",
    metadata,
    Column("device", ForeignKey("devices.pk"), primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, primary_key=True),
    Column("heads", LargeBinary, nullable=False),
    Column("sent_ms", BigInteger, nullable=False),
    info=with_row("device", "devices").info,
)

# Owned by `mail`: the newest mail of each device that a courier has begun to fetch.
mail_parts = Table(
    "mail_parts",
    metadata,
    Column("device", ForeignKey("devices.pk"), primary_key=True, autoincrement=False),
    Column("version", LargeBinary, primary_key=True),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    info=with_row("device", "devices").info,
)

# Owned by `packs`: which course packs are promised to which scopes.
offers = Table(
    "offers",
    metadata,
    Column("manifest_hash", LargeBinary, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("course_key", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("published_ms", BigInteger, nullable=False),
    info=on_the_way("scope").info,
)

# Owned by `relays`: which segments of devices the hubs below rejected.
rejections = Table(
    "rejections",
    metadata,
    Column("log", LargeBinary, primary_key=True),
    Column("first_seq", BigInteger, primary_key=True, autoincrement=False),
    # Empty in the words of hubs that didn't say which.
    Column("segment", LargeBinary, primary_key=True),
    info=with_row("log", "logs", "log").info,
)

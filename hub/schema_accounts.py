"""The hub's tables of who is logged in and with what they prove it. See `schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from hub.schema_base import NOBODY, Key, metadata, primary_key

# Owned by `views.sittings`. `sitting` is the hash of what the cookie names.
sittings = Table(
    "sittings",
    metadata,
    Column("sitting", LargeBinary, primary_key=True),
    Column("operator", Key, ForeignKey("operators.pk"), nullable=False),
    Column("began_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    # When whoever sits there last proved to be that operator.
    Column("proved_ms", BigInteger, nullable=False),
    # What the browser calls itself, shortened.
    Column("browser", Text, nullable=False),
    Index("ix_sittings_operator", "operator"),
    info=NOBODY.info,
)

# Owned by `second_factor`. Not in force before `since_ms`, when the first code was right.
second_factors = Table(
    "second_factors",
    metadata,
    Column("operator", Key, ForeignKey("operators.pk"), primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("since_ms", BigInteger),
    # The last step whose code was used: none is good twice.
    Column("step", BigInteger, nullable=False, server_default="0"),
    # Hashes of the recovery codes that are left, 32 bytes each.
    Column("recovery", LargeBinary, nullable=False),
    info=NOBODY.info,
)

# Owned by `passkeys`.
passkeys = Table(
    "passkeys",
    metadata,
    primary_key(),
    Column("operator", Key, ForeignKey("operators.pk"), nullable=False),
    Column("credential", LargeBinary, nullable=False, unique=True),
    # Attested credential data, as WebAuthn has it.
    Column("data", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False, server_default="0"),
    Column("name", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Index("ix_passkeys_operator", "operator"),
    info=NOBODY.info,
)

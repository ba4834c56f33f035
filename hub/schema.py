"""The hub's tables. Segments are the truth; `merge` owns everything that can be made again from them.

Identifiers on disk are small integers; the 16-byte ids of the protocol stand once each. Times are
milliseconds since 1970 by the hub's clock unless a name ends in `_t` (log time of one log).
"""

from __future__ import annotations

from typing import Final

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
    func,
    literal_column,
)

from hub.schema_accounts import passkeys as passkeys
from hub.schema_accounts import second_factors as second_factors
from hub.schema_accounts import sittings as sittings
from hub.schema_api import api_tokens as api_tokens
from hub.schema_api import webhook_deliveries as webhook_deliveries
from hub.schema_api import webhooks as webhooks
from hub.schema_base import EVERYONE, NOBODY, Key, in_place, primary_key, with_row
from hub.schema_base import metadata as metadata
from hub.schema_certificates import certificate_refusals as certificate_refusals
from hub.schema_certificates import certificate_rules as certificate_rules
from hub.schema_certificates import certificates as certificates
from hub.schema_figures import stale_villages as stale_villages
from hub.schema_figures import village_courses as village_courses
from hub.schema_figures import village_figures as village_figures
from hub.schema_judgements import judgements as judgements
from hub.schema_road import bundles as bundles
from hub.schema_road import couriers as couriers
from hub.schema_road import custody as custody
from hub.schema_road import downlinks as downlinks
from hub.schema_road import hub_logs as hub_logs
from hub.schema_road import hub_pending as hub_pending
from hub.schema_road import hub_segments as hub_segments
from hub.schema_road import mail_parts as mail_parts
from hub.schema_road import offers as offers
from hub.schema_road import parts as parts
from hub.schema_road import rejections as rejections
from hub.schema_rosters import rosters as rosters
from hub.schema_summaries import completions as completions
from hub.schema_summaries import kept_results as kept_results
from hub.schema_summaries import summaries as summaries
from hub.schema_summaries import test_lessons as test_lessons
from sync.progress.rows import COURSE_PROGRESS, LESSON_PROGRESS, ROWS, Join, Row

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    info=NOBODY.info,
)

regions = Table(
    "regions",
    metadata,
    Column("code", Text, primary_key=True),
    Column("parent", Text, nullable=False),
    Column("name", Text, nullable=False),
    Index("ix_regions_parent", "parent"),
    info=EVERYONE.info,
)

operators = Table(
    "operators",
    metadata,
    primary_key(),
    Column("name", Text, nullable=False, unique=True),
    # None while an invitation waits to be accepted.
    Column("password_hash", Text),
    # What the account is for, and where (see `roles`): a region's code, or empty for the nation.
    Column("role", Text, nullable=False, server_default="operator"),
    Column("scope", Text, nullable=False, server_default=""),
    Column("made_ms", BigInteger, nullable=False, server_default="0"),
    # An account that has ended stays, so that what it did keeps a name.
    Column("ended_ms", BigInteger),
    info=NOBODY.info,
)

# Owned by `registry`.
devices = Table(
    "devices",
    metadata,
    primary_key(),
    Column("device", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sealing_key", LargeBinary, nullable=False),
    # The 8 bytes that name the sealing key on the outside of bundles.
    Column("sealing_id", LargeBinary, nullable=False),
    Column("village", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("first_seen_ms", BigInteger, nullable=False),
    Column("registered_ms", BigInteger),
    # Owned by `intake`.
    Column("last_contact_ms", BigInteger),
    Column("last_wall_s", BigInteger),
    Column("last_t", BigInteger),
    # When something of it last came by stick.
    Column("last_stick_ms", BigInteger),
    # What it last said that it holds of others' logs (heads, CBOR), and what it asks for.
    Column("held_heads", LargeBinary),
    Column("wants", Integer, nullable=False, server_default="0"),
    # Of a nation, which villages have a laptop is read from this index alone.
    Index("ix_devices_village", "village", "state"),
    Index("ix_devices_sealing", "sealing_id"),
    Index("ix_devices_state", "state"),
    info=in_place("village").info,
)
VILLAGE_CODE: Final = 13
"""The length of a village's code; the place of a relay's device is shorter."""
IS_RELAY: Final = func.length(devices.c.village) < literal_column(str(VILLAGE_CODE))
"""For hubs below this one, which are few: with this index they are found without looking at every village."""
Index("ix_devices_relays", devices.c.village, sqlite_where=IS_RELAY, postgresql_where=IS_RELAY)

registration_codes = Table(
    "registration_codes",
    metadata,
    Column("handle", Text, primary_key=True),
    Column("code_key", LargeBinary, nullable=False),
    # A village's code, or for a courier the beginning of the codes of its villages.
    Column("village", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("device", ForeignKey("devices.pk")),
    # The courier for whom the code was made, if it is no device's.
    Column("courier", ForeignKey("couriers.pk")),
    info=in_place("village").info,
)

# Owned by `intake`.
logs = Table(
    "logs",
    metadata,
    primary_key(),
    Column("log", LargeBinary, nullable=False, unique=True),
    Column("device", ForeignKey("devices.pk"), nullable=False),
    Index("ix_logs_device", "device"),
    info=with_row("device", "devices").info,
)

# A path from the first segment to a tip. A log that never forked has one.
branches = Table(
    "branches",
    metadata,
    primary_key(),
    Column("log", ForeignKey("logs.pk"), nullable=False),
    Column("parent", ForeignKey("branches.pk")),
    Column("tip_idx", Integer, nullable=False),
    Column("tip_id", LargeBinary, nullable=False),
    Index("ix_branches_log", "log"),
    info=with_row("log", "logs").info,
)

GAP: Final = 0
STORED: Final = 1
MERGED: Final = 2
UNREADABLE: Final = 3
QUARANTINED: Final = 4

segments = Table(
    "segments",
    metadata,
    primary_key(),
    Column("log", ForeignKey("logs.pk"), nullable=False),
    Column("idx", Integer, nullable=False),
    Column("id", LargeBinary, nullable=False),
    Column("branch", Key),
    Column("state", SmallInteger, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("end_t", BigInteger),
    Column("received_ms", BigInteger, nullable=False),
    # 1 if an operator decided that its entries add nothing; those who come after it still count on its path.
    Column("rejected", SmallInteger, nullable=False, server_default="0"),
    # Owned by `passed_on`: 1 once the hub above holds it.
    Column("relayed", SmallInteger, nullable=False, server_default="0"),
    # How many learners and packs the path up to here has named; set by `merge`.
    Column("learners_after", Integer),
    Column("packs_after", Integer),
    Column("data", LargeBinary, nullable=False),
    UniqueConstraint("log", "idx", "id", name="uq_segments"),
    info=with_row("log", "logs").info,
)
_is_waiting = segments.c.state == STORED
Index("ix_segments_waiting", segments.c.log, sqlite_where=_is_waiting, postgresql_where=_is_waiting)
_is_odd = segments.c.state != MERGED
Index("ix_segments_state", segments.c.state, sqlite_where=_is_odd, postgresql_where=_is_odd)

# What waits for a decision, and what one was made about, is little of everything.
_is_apart = segments.c.state == QUARANTINED
Index("ix_segments_apart", segments.c.log, sqlite_where=_is_apart, postgresql_where=_is_apart)
_is_rejected = segments.c.rejected == 1
Index("ix_segments_rejected", segments.c.log, sqlite_where=_is_rejected, postgresql_where=_is_rejected)

profiles = Table(
    "profiles",
    metadata,
    Column("commitment", LargeBinary, primary_key=True),
    Column("device", ForeignKey("devices.pk"), nullable=False),
    Column("data", LargeBinary, nullable=False),
    info=with_row("commitment", "learner_profiles", "commitment").info,
)

# Owned by `identity`: profiles that must not be kept again, and what operators said of pairs of identities.
erased = Table(
    "erased",
    metadata,
    Column("commitment", LargeBinary, primary_key=True),
    Column("erased_ms", BigInteger, nullable=False),
    info=with_row("commitment", "learner_profiles", "commitment").info,
)

same_person = Table(
    "same_person",
    metadata,
    # The smaller identity first.
    Column("one", LargeBinary, primary_key=True),
    Column("other", LargeBinary, primary_key=True),
    # 1 merged, 0 separated, whatever logs say.
    Column("merged", SmallInteger, nullable=False),
    Column("decided_ms", BigInteger, nullable=False),
    Index("ix_same_person_other", "other"),
    info=(with_row("one", "learners", "learner") & with_row("other", "learners", "learner")).info,
)

# Owned by `courses`.
courses = Table(
    "courses",
    metadata,
    Column("manifest_hash", LargeBinary, primary_key=True),
    Column("course_key", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("lessons", Integer, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Index("ix_courses_key", "course_key"),
    info=EVERYONE.info,
)

# Everything below is owned by `merge`.
learners = Table(
    "learners",
    metadata,
    primary_key(),
    Column("learner", LargeBinary, nullable=False, unique=True),
    Column("device", ForeignKey("devices.pk"), nullable=False),
    # None for somebody whom another log introduced and who hasn't changed the profile in this one.
    Column("commitment", LargeBinary),
    # Orders profile changes: sequence number, then the id of the segment that holds the entry.
    Column("profile_seq", BigInteger, nullable=False),
    Column("profile_segment", LargeBinary, nullable=False),
    # The identity in another log that this one goes on from.
    Column("continues", LargeBinary),
    # Owned by `identity`: whom of all identities of one person the pages speak of.
    Column("person", Key, nullable=False),
    # Owned by `identity`: 1 if that person has several identities.
    Column("joined", SmallInteger, nullable=False, server_default="0"),
    Index("ix_learners_device", "device"),
    Index("ix_learners_continues", "continues"),
    Index("ix_learners_person", "person"),
    info=with_row("device", "devices").info,
)

_is_joined = learners.c.joined == 1
Index("ix_learners_joined", learners.c.joined, sqlite_where=_is_joined, postgresql_where=_is_joined)

# Every profile that an identity ever had, so that all can be erased.
learner_profiles = Table(
    "learner_profiles",
    metadata,
    Column("learner", ForeignKey("learners.pk"), primary_key=True, autoincrement=False),
    Column("commitment", LargeBinary, primary_key=True),
    Index("ix_learner_profiles_commitment", "commitment"),
    info=with_row("learner", "learners").info,
)

packs = Table(
    "packs",
    metadata,
    primary_key(),
    Column("manifest_hash", LargeBinary, nullable=False, unique=True),
    Column("course_key", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    info=EVERYONE.info,
)

learner_numbers = Table(
    "learner_numbers",
    metadata,
    Column("branch", ForeignKey("branches.pk"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("learner", ForeignKey("learners.pk"), nullable=False),
    info=with_row("learner", "learners").info,
)

pack_numbers = Table(
    "pack_numbers",
    metadata,
    Column("branch", ForeignKey("branches.pk"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("pack", ForeignKey("packs.pk"), nullable=False),
    info=with_row("branch", "branches").info,
)

# What the wall clock said (hub_ms null) and anchors (wall null), per segment path; for dates.
clock_notes = Table(
    "clock_notes",
    metadata,
    Column("log", ForeignKey("logs.pk"), primary_key=True, autoincrement=False),
    Column("segment", ForeignKey("segments.pk"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("t", BigInteger, nullable=False),
    Column("wall_ms", BigInteger),
    Column("hub_ms", BigInteger),
    info=with_row("log", "logs").info,
)

alerts = Table(
    "alerts",
    metadata,
    primary_key(),
    Column("kind", Text, nullable=False),
    Column("device", ForeignKey("devices.pk"), nullable=False),
    # What makes two alerts the same one: a head, a segment id.
    Column("subject", LargeBinary, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    # When an operator dealt with it, and the name of the account. Written once.
    Column("handled_ms", BigInteger),
    Column("handled_by", Text),
    UniqueConstraint("kind", "device", "subject", name="uq_alerts"),
    info=with_row("device", "devices").info,
)


def _row_table(row: Row) -> Table:
    """The table of a row of sums; keys are this hub's learner and pack numbers."""
    references = {"learner": "learners.pk", "pack": "packs.pk"}
    key: list[Column[int]] = [
        Column(name, ForeignKey(references[name]), primary_key=True, autoincrement=False)
        if name in references
        else Column(name, Integer, primary_key=True, autoincrement=False)
        for name in row.key
    ]
    columns: list[Column[int]] = [
        Column(name, BigInteger, nullable=join is not Join.SUM) for name, join in row.columns.items()
    ]
    seen = with_row("learner", "learners")
    return Table(row.name, metadata, *key, *columns, sqlite_with_rowid=False, info=seen.info)


row_tables: Final[dict[Row, Table]] = {row: _row_table(row) for row in ROWS}
lesson_progress: Final = row_tables[LESSON_PROGRESS]
course_progress: Final = row_tables[COURSE_PROGRESS]

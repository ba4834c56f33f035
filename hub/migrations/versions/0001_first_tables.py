"""The first tables: regions, devices, logs, segments and what they add up to; sticks, couriers, hub logs.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "couriers",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("courier", sa.LargeBinary(), nullable=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_contact_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("pk"),
        sa.UniqueConstraint("courier"),
    )
    op.create_table(
        "courses",
        sa.Column("manifest_hash", sa.LargeBinary(), nullable=False),
        sa.Column("course_key", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("lessons", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("manifest_hash"),
    )
    op.create_index("ix_courses_key", "courses", ["course_key"], unique=False)
    op.create_table(
        "devices",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("device", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealing_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealing_id", sa.LargeBinary(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first_seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("registered_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_contact_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_wall_s", sa.BigInteger(), nullable=True),
        sa.Column("last_t", sa.BigInteger(), nullable=True),
        sa.Column("last_stick_ms", sa.BigInteger(), nullable=True),
        sa.Column("held_heads", sa.LargeBinary(), nullable=True),
        sa.Column("wants", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("pk"),
        sa.UniqueConstraint("device"),
    )
    op.create_index("ix_devices_sealing", "devices", ["sealing_id"], unique=False)
    op.create_index("ix_devices_village", "devices", ["village"], unique=False)
    op.create_table(
        "erased",
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("erased_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("commitment"),
    )
    op.create_table(
        "hub_logs",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.SmallInteger(), nullable=False),
        sa.Column("tip_idx", sa.Integer(), nullable=False),
        sa.Column("tip_id", sa.LargeBinary(), nullable=False),
        sa.Column("end_seq", sa.BigInteger(), nullable=False),
        sa.Column("end_t", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pk"),
        sa.UniqueConstraint("log"),
    )
    op.create_index("ix_hub_logs_scope", "hub_logs", ["scope"], unique=False)
    op.create_table(
        "hub_pending",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("hub_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pk"),
    )
    op.create_index("ix_hub_pending_scope", "hub_pending", ["scope"], unique=False)
    op.create_table(
        "operators",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pk"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "packs",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("manifest_hash", sa.LargeBinary(), nullable=False),
        sa.Column("course_key", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pk"),
        sa.UniqueConstraint("manifest_hash"),
    )
    op.create_table(
        "parts",
        sa.Column("part", sa.LargeBinary(), nullable=False),
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("part"),
    )
    op.create_table(
        "regions",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("ix_regions_parent", "regions", ["parent"], unique=False)
    op.create_table(
        "rejections",
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("log", "first_seq"),
    )
    op.create_table(
        "same_person",
        sa.Column("one", sa.LargeBinary(), nullable=False),
        sa.Column("other", sa.LargeBinary(), nullable=False),
        sa.Column("merged", sa.SmallInteger(), nullable=False),
        sa.Column("decided_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one", "other"),
    )
    op.create_index("ix_same_person_other", "same_person", ["other"], unique=False)
    op.create_table(
        "settings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "alerts",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("device", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.pk"],
        ),
        sa.PrimaryKeyConstraint("pk"),
        sa.UniqueConstraint("kind", "device", "subject", name="uq_alerts"),
    )
    op.create_table(
        "bundles",
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("noted_ms", sa.BigInteger(), nullable=False),
        sa.Column("complete_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.pk"],
        ),
        sa.PrimaryKeyConstraint("bundle"),
    )
    op.create_index("ix_bundles_device", "bundles", ["device"], unique=False)
    op.create_table(
        "custody",
        sa.Column(
            "courier",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen_s", sa.BigInteger(), nullable=False),
        sa.Column("noted_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["courier"],
            ["couriers.pk"],
        ),
        sa.PrimaryKeyConstraint("courier", "bundle", "idx"),
    )
    op.create_index("ix_custody_bundle", "custody", ["bundle"], unique=False)
    op.create_table(
        "downlinks",
        sa.Column(
            "device",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("heads", sa.LargeBinary(), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.pk"],
        ),
        sa.PrimaryKeyConstraint("device", "digest"),
    )
    op.create_table(
        "hub_segments",
        sa.Column(
            "log", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("relayed", sa.SmallInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["log"],
            ["hub_logs.pk"],
        ),
        sa.PrimaryKeyConstraint("log", "idx"),
    )
    op.create_table(
        "learners",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("learner", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=True),
        sa.Column("profile_seq", sa.BigInteger(), nullable=False),
        sa.Column("profile_segment", sa.LargeBinary(), nullable=False),
        sa.Column("continues", sa.LargeBinary(), nullable=True),
        sa.Column("person", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.pk"],
        ),
        sa.PrimaryKeyConstraint("pk"),
        sa.UniqueConstraint("learner"),
    )
    op.create_index("ix_learners_continues", "learners", ["continues"], unique=False)
    op.create_index("ix_learners_device", "learners", ["device"], unique=False)
    op.create_index("ix_learners_person", "learners", ["person"], unique=False)
    op.create_table(
        "logs",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.pk"],
        ),
        sa.PrimaryKeyConstraint("pk"),
        sa.UniqueConstraint("log"),
    )
    op.create_index("ix_logs_device", "logs", ["device"], unique=False)
    op.create_table(
        "profiles",
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.pk"],
        ),
        sa.PrimaryKeyConstraint("commitment"),
    )
    op.create_table(
        "registration_codes",
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("code_key", sa.LargeBinary(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("courier", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["courier"],
            ["couriers.pk"],
        ),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.pk"],
        ),
        sa.PrimaryKeyConstraint("handle"),
    )
    op.create_table(
        "branches",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("log", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("parent", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("tip_idx", sa.Integer(), nullable=False),
        sa.Column("tip_id", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log"],
            ["logs.pk"],
        ),
        sa.ForeignKeyConstraint(
            ["parent"],
            ["branches.pk"],
        ),
        sa.PrimaryKeyConstraint("pk"),
    )
    op.create_index("ix_branches_log", "branches", ["log"], unique=False)
    op.create_table(
        "course_progress",
        sa.Column(
            "learner",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "pack",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("completions", sa.BigInteger(), nullable=False),
        sa.Column("completed_t", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["learner"],
            ["learners.pk"],
        ),
        sa.ForeignKeyConstraint(
            ["pack"],
            ["packs.pk"],
        ),
        sa.PrimaryKeyConstraint("learner", "pack"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "learner_profiles",
        sa.Column(
            "learner",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["learner"],
            ["learners.pk"],
        ),
        sa.PrimaryKeyConstraint("learner", "commitment"),
    )
    op.create_index("ix_learner_profiles_commitment", "learner_profiles", ["commitment"], unique=False)
    op.create_table(
        "lesson_progress",
        sa.Column(
            "learner",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "pack",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("lesson", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("openings", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("furthest", sa.BigInteger(), nullable=True),
        sa.Column("answers", sa.BigInteger(), nullable=False),
        sa.Column("right_answers", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("best_score", sa.BigInteger(), nullable=True),
        sa.Column("first_t", sa.BigInteger(), nullable=True),
        sa.Column("last_t", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["learner"],
            ["learners.pk"],
        ),
        sa.ForeignKeyConstraint(
            ["pack"],
            ["packs.pk"],
        ),
        sa.PrimaryKeyConstraint("learner", "pack", "lesson"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "segments",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("log", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("branch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("end_t", sa.BigInteger(), nullable=True),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("relayed", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("learners_after", sa.Integer(), nullable=True),
        sa.Column("packs_after", sa.Integer(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log"],
            ["logs.pk"],
        ),
        sa.PrimaryKeyConstraint("pk"),
        sa.UniqueConstraint("log", "idx", "id", name="uq_segments"),
    )
    op.create_index(
        "ix_segments_waiting",
        "segments",
        ["log"],
        unique=False,
        sqlite_where=sa.text("state = 1"),
        postgresql_where=sa.text("state = 1"),
    )
    op.create_table(
        "clock_notes",
        sa.Column(
            "log", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "segment",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("t", sa.BigInteger(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=True),
        sa.Column("hub_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["log"],
            ["logs.pk"],
        ),
        sa.ForeignKeyConstraint(
            ["segment"],
            ["segments.pk"],
        ),
        sa.PrimaryKeyConstraint("log", "segment", "seq"),
    )
    op.create_table(
        "learner_numbers",
        sa.Column(
            "branch",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("learner", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch"],
            ["branches.pk"],
        ),
        sa.ForeignKeyConstraint(
            ["learner"],
            ["learners.pk"],
        ),
        sa.PrimaryKeyConstraint("branch", "number"),
    )
    op.create_table(
        "pack_numbers",
        sa.Column(
            "branch",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pack", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch"],
            ["branches.pk"],
        ),
        sa.ForeignKeyConstraint(
            ["pack"],
            ["packs.pk"],
        ),
        sa.PrimaryKeyConstraint("branch", "number"),
    )

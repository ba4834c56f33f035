"""Which course packs this hub knows by name: manifests of packs that a publisher of the keyset signed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select

from content_packs.manifest import Manifest, open_manifest
from content_packs.verify import open_pack, trusted_by
from hub import stale
from hub.config import Config
from hub.db import writing
from hub.schema import courses, learners, lesson_progress, packs
from sync.keys import sha256


def add(engine: Engine, config: Config, file: Path) -> Manifest:
    """Verify a pack file and keep its manifest. Adding it again changes nothing.

    Raises:
        PackError: the pack is damaged, or its publisher isn't in the keyset.
    """
    with open_pack(file, trusted_by(config.keyset, None)) as pack:
        return note(engine, pack.envelope)


def note(engine: Engine, envelope: bytes) -> Manifest:
    """Keep a manifest whose publisher is known to be trusted. Noting it again changes nothing."""
    manifest, manifest_hash = open_manifest(envelope), sha256(envelope)
    with writing(engine) as connection:
        known = select(courses.c.version).where(courses.c.manifest_hash == manifest_hash)
        if connection.execute(known).first() is None:
            connection.execute(
                insert(courses).values(
                    manifest_hash=manifest_hash,
                    course_key=manifest.course_key,
                    version=manifest.version,
                    title=manifest.title,
                    lessons=len(manifest.lessons),
                    manifest=envelope,
                )
            )
            # Now it is known which lesson is the final test.
            started = select(lesson_progress.c.learner).join(packs, packs.c.pk == lesson_progress.c.pack)
            stale.mark_learners(
                connection, learners.c.pk.in_(started.where(packs.c.manifest_hash == manifest_hash))
            )
    return manifest


def titles(connection: Connection) -> dict[bytes, str]:
    """Course key to the title of its newest version."""
    query = select(courses.c.course_key, courses.c.title).order_by(courses.c.version)
    return {bytes(row.course_key): row.title for row in connection.execute(query)}

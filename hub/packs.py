"""Packs that this hub gives out: kept as plain files under `packs/`, promised to regions in the hub's logs.

A village fetches a pack once the log of one of its scopes names its manifest's hash; `pack_withdrawn` ends that, and takes
nothing away from those who learn from it. The files never change, so any web server or cache may hold them. Owns the table
offers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, delete, select

from content_packs import publishing
from content_packs.manifest import Manifest
from content_packs.store import PackStore
from content_packs.verify import open_pack, trusted_by
from hub import courses, downlink, regions, schema
from hub.config import Config
from hub.db import insert_or_ignore, reading, writing
from hub.errors import NotFoundError
from hub.places import within
from sync.decisions import PackPublished, PackWithdrawn, scopes_of
from sync.errors import N_

FOLDER: Final = "packs"
_TITLE_MOST: Final = 200
_o: Final = schema.offers


@dataclass(frozen=True, slots=True)
class Given:
    """A pack that is given out now: to which scopes, and how many of their devices have it."""

    manifest_hash: bytes
    manifest: Manifest
    scopes: tuple[str, ...]
    devices: int
    have_it: int


def store_of(config: Config) -> PackStore:
    return PackStore(config.data / FOLDER)


def publish(
    engine: Engine, config: Config, file: Path, scopes: Sequence[str], now_ms: int
) -> tuple[Manifest, bytes]:
    """Verify a pack, keep it, and promise it to regions. Doing it again changes nothing; more regions may follow.

    Raises:
        PackError: it is damaged, its publisher isn't in the keyset, or there is no room for it.
        NotFoundError: there is no such region.
    """
    _check_scopes(engine, scopes)
    manifest, manifest_hash = keep(engine, config, file)
    promise(engine, manifest, manifest_hash, scopes, now_ms)
    return manifest, manifest_hash


def keep(engine: Engine, config: Config, file: Path) -> tuple[Manifest, bytes]:
    """Verify a pack and keep it, so that it can be looked at; nobody is promised it yet.

    Raises:
        PackError: it is damaged, its publisher isn't in the keyset, or there is no room for it.
    """
    with open_pack(file, trusted_by(config.keyset, None)) as pack:
        store_of(config).install(pack)
        manifest_hash = pack.manifest_hash
    return courses.add(engine, config, file), manifest_hash


def take_offer(config: Config, envelope: bytes) -> bytes:
    """Answer a publisher who brings a pack from elsewhere: which pieces are lacking.

    Raises:
        PackError, SyncError: as for `publishing.take_offer`.
    """
    return publishing.take_offer(store_of(config), envelope, trusted_by(config.keyset, None))


def take_pieces(engine: Engine, config: Config, body: bytes) -> bytes:
    """Take pieces of a pack that was offered; once it is whole, it waits to be looked at and given out.

    Raises:
        PackError, SyncError: as for `publishing.take_pieces`.
    """
    store = store_of(config)

    def note(manifest_hash: bytes) -> None:
        courses.note(engine, store.envelope(manifest_hash))

    return publishing.take_pieces(store, body, note)


def promise(
    engine: Engine, manifest: Manifest, manifest_hash: bytes, scopes: Sequence[str], now_ms: int
) -> None:
    """Promise a pack that is kept here to regions; those that have the promise already get no second one.

    Raises:
        NotFoundError: there is no such region.
    """
    _check_scopes(engine, scopes)
    said = PackPublished(
        manifest.course_key, manifest_hash, manifest.version, manifest.packed, manifest.title[:_TITLE_MOST]
    )
    with writing(engine) as connection:
        for scope in scopes:
            row: dict[str, object] = {
                "manifest_hash": manifest_hash,
                "scope": scope,
                "course_key": manifest.course_key,
            }
            row |= {"version": manifest.version, "size": manifest.packed, "published_ms": now_ms}
            made = insert_or_ignore(connection, _o).values(**row).on_conflict_do_nothing()
            if connection.execute(made.returning(_o.c.scope)).first() is not None:
                downlink.decide(connection, scope, said, now_ms)


def withdraw(engine: Engine, manifest_hash: bytes, reason: str, now_ms: int) -> None:
    """Give a pack to nobody any more, everywhere where it was promised.

    Raises:
        NotFoundError: it isn't given out.
    """
    with writing(engine) as connection:
        query = delete(_o).where(_o.c.manifest_hash == manifest_hash).returning(_o.c.scope)
        scopes = sorted(connection.execute(query).scalars())
        if not scopes:
            raise NotFoundError(N_("Paket ini tidak sedang dibagikan."))
        for scope in scopes:
            downlink.decide(connection, scope, PackWithdrawn(manifest_hash, reason), now_ms)


def first_villages(connection: Connection, region: str, count: int) -> list[str]:
    """The villages of a region with a registered device that come first by their code: a stage to try a pack on."""
    d = schema.devices.c
    query = select(d.village).where(d.state == "registered", within(region)).distinct().order_by(d.village)
    return list(connection.execute(query.limit(count)).scalars())


def given(connection: Connection, store: PackStore) -> list[Given]:
    """Everything that is given out, by title and version."""
    scopes: dict[bytes, list[str]] = {}
    for row in connection.execute(select(_o.c.manifest_hash, _o.c.scope).order_by(_o.c.scope)):
        scopes.setdefault(bytes(row.manifest_hash), []).append(row.scope)
    made = []
    for manifest_hash, in_ in scopes.items():
        installed = store.get(manifest_hash)
        if installed is not None:
            everyone = {pk for scope in in_ for pk in _devices(connection, scope)}
            have_it = everyone & _holders(connection, manifest_hash)
            made.append(Given(manifest_hash, installed.manifest, tuple(in_), len(everyone), len(have_it)))
    return sorted(made, key=lambda one: (one.manifest.title, one.manifest.version))


def lacking(connection: Connection, region: str) -> list[tuple[bytes, int]]:
    """(manifest hash, size) of the newest of each course that is promised to some device of a region which lacks it.

    The smallest first: so a courier with little time brings most courses.
    """
    offers = connection.execute(select(_o).order_by(_o.c.version)).all()
    made: dict[bytes, int] = {}
    d = schema.devices.c
    query = select(d.pk, d.village).where(d.state == "registered", within(region))
    holders = {bytes(row.manifest_hash): _holders(connection, row.manifest_hash) for row in offers}
    for device in connection.execute(query).all():
        scopes = scopes_of(device.village)
        newest = {bytes(row.course_key): row for row in offers if row.scope in scopes}
        for row in newest.values():
            if device.pk not in holders[bytes(row.manifest_hash)]:
                made[bytes(row.manifest_hash)] = row.size
    return sorted(made.items(), key=lambda one: (one[1], one[0]))


def waiting(connection: Connection, store: PackStore) -> list[tuple[bytes, Manifest]]:
    """(manifest hash, manifest) of the packs that are kept here and promised to nobody."""
    promised = {bytes(one) for one in connection.execute(select(_o.c.manifest_hash)).scalars()}
    return [(one.manifest_hash, one.manifest) for one in store.packs() if one.manifest_hash not in promised]


def superseded(connection: Connection, store: PackStore, before_ms: int) -> list[bytes]:
    """The packs kept here that are promised to nobody, while a newer version of the course has been since before then."""
    offers = connection.execute(select(_o)).all()
    promised = {bytes(row.manifest_hash) for row in offers}
    newest: dict[bytes, int] = {}
    for row in offers:
        if row.published_ms < before_ms:
            key = bytes(row.course_key)
            newest[key] = max(row.version, newest.get(key, 0))
    return [
        one.manifest_hash
        for one in store.packs()
        if one.manifest_hash not in promised
        and one.manifest.version < newest.get(one.manifest.course_key, 0)
    ]


def _check_scopes(engine: Engine, scopes: Sequence[str]) -> None:
    with reading(engine) as connection:
        for scope in scopes:
            if scope and regions.find(connection, scope) is None:
                raise NotFoundError(
                    N_("Wilayah dengan kode %(code)s tidak ada dalam daftar wilayah."), code=scope
                )


def _devices(connection: Connection, scope: str) -> set[int]:
    d = schema.devices.c
    query = select(d.pk).where(d.state == "registered", within(scope))
    return set(connection.execute(query).scalars())


def _holders(connection: Connection, manifest_hash: bytes) -> set[int]:
    """The devices whose logs say that they have installed a pack."""
    query = (
        select(schema.logs.c.device)
        .join(schema.branches, schema.branches.c.log == schema.logs.c.pk)
        .join(schema.pack_numbers, schema.pack_numbers.c.branch == schema.branches.c.pk)
        .join(schema.packs, schema.packs.c.pk == schema.pack_numbers.c.pack)
        .where(schema.packs.c.manifest_hash == manifest_hash)
    )
    return set(connection.execute(query).scalars())

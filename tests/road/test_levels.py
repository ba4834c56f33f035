"""Three levels: village → regency → nation. What the nation gets twice it counts once."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from centre import made_hub
from sqlalchemy import select
from test_sticks import Land, answers_counted, entries_at, learn, registered_by_stick, visit_village
from werkzeug.serving import make_server

from hub import downlink, keyring, parts, quarantine, rebuilding, registry, schema, upstream
from hub.db import reading, writing
from hub.endpoint import Endpoint
from hub.wiring import Hub, now_ms, open_hub
from node.bundles import Bundles
from node.wiring import Node
from sync.courier import Taken
from sync.decisions import AnnouncementPosted
from sync.keys import key_id
from sync.post import Post
from sync.stick import OUT


@pytest.fixture
def nation(tmp_path: Path) -> Iterator[tuple[Hub, str]]:
    """The hub above, and its address."""
    hub = made_hub(tmp_path / "nation")
    server = make_server("127.0.0.1", 0, Endpoint(hub.intake, lambda *_: []), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield hub, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    hub.close()


@pytest.fixture
def land(tmp_path: Path, nation: tuple[Hub, str]) -> Iterator[Land]:
    """A regency's hub below the nation's, and its villages."""
    hub = made_hub(tmp_path / "regency")
    above, url = nation
    code = registry.issue_code(above.engine, "17.05", secrets.token_bytes, now_ms())
    keyset = upstream.register(hub.engine, hub.config, url, str(code), "17.05", Post)
    change = keyring.Change(add_upstream=keyset.intake)
    keyring.rotate(hub.engine, hub.config, None, change, now_ms())
    hub.close()
    hub = open_hub(tmp_path / "regency")
    yield Land(tmp_path, hub)
    hub.close()


def pass_on(hub: Hub) -> None:
    upstream.pass_on(hub.engine, hub.config, Post, now_ms)


def test_what_a_regency_holds_reaches_the_nation_as_its_villages_signed_it(
    land: Land, nation: tuple[Hub, str]
) -> None:
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    learn(node, 40)
    visit_village(node, stick)
    land.visit_centre(stick)
    pass_on(land.hub)
    assert answers_counted(nation[0]) == answers_counted(land.hub) == 40
    assert entries_at(nation[0]) >= entries_at(land.hub)
    assert upstream.pass_on(land.hub.engine, land.hub.config, Post, now_ms).requests == 1, "nothing is left"


def test_a_regency_set_back_before_its_last_keys_goes_on_passing_on(
    land: Land, nation: tuple[Hub, str], tmp_path: Path
) -> None:
    """The nation refused everything that came with the older keyset (simulation, seed 88)."""
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    learn(node, 5)
    visit_village(node, stick)
    land.visit_centre(stick)
    shutil.copytree(tmp_path / "regency", tmp_path / "backup")
    keyring.rotate(land.hub.engine, land.hub.config, None, keyring.Change(new_hub_key=True), now_ms())
    land.hub.close()
    land.hub = open_hub(tmp_path / "regency")
    pass_on(land.hub)
    land.hub.close()
    shutil.rmtree(tmp_path / "regency")
    (tmp_path / "backup").rename(tmp_path / "regency")
    land.hub = open_hub(tmp_path / "regency")
    learn(node, 3)
    visit_village(node, stick)
    land.visit_centre(stick)
    pass_on(land.hub)
    assert answers_counted(nation[0]) == answers_counted(land.hub) == 8


def test_a_nation_set_back_gets_again_what_it_lost(
    tmp_path: Path, land: Land, nation: tuple[Hub, str]
) -> None:
    """It had confirmed all that, and nobody would have sent it again; of one laptop it had forgotten even the certificate."""
    stick, old, quiet, new = (
        land.stick(),
        land.village("asri"),
        land.village("baru"),
        land.village("cempaka"),
    )
    for node in (old, quiet):
        registered_by_stick(land, node, stick)
        learn(node, 5)
        visit_village(node, stick)
        land.visit_centre(stick)
    pass_on(land.hub)
    with closing(sqlite3.connect(tmp_path / "nation" / "hub.db")) as db:
        db.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
    registered_by_stick(land, new, stick)
    for node, count in ((old, 3), (new, 4)):
        learn(node, count, 50)
        visit_village(node, stick)
        land.visit_centre(stick)
    pass_on(land.hub)
    assert answers_counted(nation[0]) == 17
    nation[0].engine.dispose()
    for name in ("hub.db-wal", "hub.db-shm"):
        (tmp_path / "nation" / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", tmp_path / "nation" / "hub.db")
    assert answers_counted(nation[0]) == 10
    pass_on(land.hub)
    assert answers_counted(nation[0]) == answers_counted(land.hub) == 17
    assert entries_at(nation[0]) >= entries_at(land.hub)
    assert upstream.pass_on(land.hub.engine, land.hub.config, Post, now_ms).requests == 1, "nothing is left"


@pytest.mark.parametrize("stick_first", [True, False])
def test_a_stick_that_went_to_the_nation_directly_adds_nothing_twice(
    land: Land, nation: tuple[Hub, str], stick_first: bool
) -> None:
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    pass_on(land.hub)
    learn(node, 25)
    visit_village(node, stick)
    copies = [stick.read_part(found) for found in stick.parts(OUT)]
    assert len({part[8:16] for part in copies}) == 2, "a copy for each hub"
    if not stick_first:
        land.visit_centre(stick)
        pass_on(land.hub)
    outcomes = {parts.take(nation[0].intake, part) for part in copies}
    assert Taken.FOREIGN in outcomes and Taken.NEW in outcomes
    if stick_first:
        assert answers_counted(nation[0]) == 25
        land.visit_centre(stick)
        pass_on(land.hub)
    assert answers_counted(nation[0]) == answers_counted(land.hub) == 25


def test_a_part_of_a_device_that_the_nation_does_not_know_yet_is_to_be_brought_again(
    land: Land, nation: tuple[Hub, str]
) -> None:
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    learn(node, 5)
    visit_village(node, stick)
    copies = [stick.read_part(found) for found in stick.parts(OUT)]
    assert Taken.LATER in {parts.take(nation[0].intake, part) for part in copies}
    pass_on(land.hub)
    assert Taken.NEW in {parts.take(nation[0].intake, part) for part in copies}
    assert answers_counted(nation[0]) == 5


def test_a_relay_cannot_speak_for_villages_of_another_region(land: Land, nation: tuple[Hub, str]) -> None:
    stick, stranger = land.stick(), land.village("far", "17.05.13.2001")
    with writing(land.hub.engine) as connection:
        connection.execute(
            schema.regions.update().where(schema.regions.c.code == "17.05.13.2001").values(name="x")
        )
    registered_by_stick(land, stranger, stick)
    with writing(nation[0].engine) as connection:
        connection.execute(schema.devices.update().values(village="17.04"))
    pass_on_refused = False
    try:
        pass_on(land.hub)
    except Exception:  # the nation knows nobody of these logs
        pass_on_refused = True
    with reading(nation[0].engine) as connection:
        known = connection.execute(select(schema.devices.c.device)).scalars().all()
    assert key_id(stranger.config.device_key.public) not in [bytes(device) for device in known]
    assert pass_on_refused


def test_what_the_nation_announces_reaches_the_village(land: Land, nation: tuple[Hub, str]) -> None:
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    with writing(nation[0].engine) as connection:
        downlink.decide(
            connection, "", AnnouncementPosted("Rakor", "Rapat koordinasi hari Senin."), now_ms()
        )
    pass_on(land.hub)
    pass_on(land.hub)
    land.visit_centre(stick)
    node.bundles.read(stick)
    said = node.centre.decisions(AnnouncementPosted)
    assert [decision.kind.fields()[0] for decision in said] == ["Rakor"]
    assert isinstance(node.bundles, Bundles)


@pytest.mark.parametrize("is_accepted", [True, False])
def test_what_a_regency_s_operators_decided_of_a_revoked_laptop_holds_in_the_nation_too(
    land: Land, nation: tuple[Hub, str], is_accepted: bool
) -> None:
    stick, node = land.stick(), land.village("asri")
    registered_by_stick(land, node, stick)
    learn(node, 6)
    visit_village(node, stick)
    land.visit_centre(stick)
    registry.revoke(land.hub.engine, key_id(node.config.device_key.public), now_ms(), "hilang")
    pass_on(land.hub)
    learn(node, 4, 50)
    visit_village(node, stick)
    for found in stick.parts(OUT):
        parts.take(nation[0].intake, stick.read_part(found))
    land.visit_centre(stick)
    assert answers_counted(nation[0]) == answers_counted(land.hub) == 6
    with reading(land.hub.engine) as connection:
        apart = [one.pk for one in quarantine.of_device(connection, 1)]
    accepted, rejected = (apart, []) if is_accepted else ([], apart)
    device = key_id(node.config.device_key.public)
    quarantine.decide(land.hub.engine, device, accepted, rejected, "bukan pekerjaan desa", now_ms())
    pass_on(land.hub)
    total = 10 if is_accepted else 6
    assert answers_counted(nation[0]) == answers_counted(land.hub) == total
    land.visit_centre(stick)
    node.bundles.read(stick)
    assert answers_in(node) == total

    quarantine.revise(land.hub.engine, device, rejected, accepted, "ternyata lain", now_ms() + 1)
    pass_on(land.hub)
    total = 6 if is_accepted else 10
    assert answers_counted(nation[0]) == answers_counted(land.hub) == total
    rebuilding.everything(nation[0].engine)
    assert answers_counted(nation[0]) == total
    land.visit_centre(stick)
    node.bundles.read(stick)
    assert answers_in(node) == total, "the village counts as its centre does"


def answers_in(node: Node) -> int:
    with node.store.read() as db:
        return int(db.execute("SELECT coalesce(sum(answers), 0) FROM lesson_progress").fetchone()[0])

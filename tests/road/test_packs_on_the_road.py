"""Courses from the centre to the villages: over a real line that drops, by stick to a second village, updated under way."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
from roadside import Road
from werkzeug.serving import make_server

from bench.proxy import CountingProxy, Link
from content_packs.build import BuiltPack, build_pack
from content_packs.http_line import HttpLine
from content_packs.pack_file import export
from hub import packs
from hub.wiring import now_ms
from node import offers
from node.allowance import allowance, month_of
from node.app import create_app
from node.courses import install_pack
from node.errors import UnknownThingError
from node.wiring import Node
from sync.errors import UnreachableError
from sync.keys import SigningKey, sha256

QUESTIONS = """
## [satu] Satu?
- [x] Ya
- [ ] Tidak

## [dua] Dua?
- [ ] Ya
- [x] Tidak
"""


def published(road: Road, version: int, *lessons: tuple[str, str], film: bytes = b"") -> BuiltPack:
    folder = road.folder / f"course-{version}"
    folder.mkdir()
    (folder / "course.toml").write_text(
        f'id = "baru"\ntitle = "Baru"\nversion = {version}\ngeneral = true\n'
    )
    for number, (head, body) in enumerate(lessons, start=1):
        (folder / f"0{number}-x.md").write_text(f"+++\n{head}\n+++\n{body}\n")
    (folder / "rapat.mp4").write_bytes(film)
    seed = (road.hub.config.data / "keys" / "publisher.key").read_text(encoding="ascii").strip()
    built = build_pack(folder, SigningKey.from_seed(bytes.fromhex(seed)))
    with (folder / "x.lontar").open("wb") as file:
        built.write(file)
    packs.publish(road.hub.engine, road.hub.config, folder / "x.lontar", [""], now_ms())
    return built


def registered(road: Road, name: str) -> Node:
    from hub import registry
    from sync.keys import key_id

    node = road.node(name)
    node.worker.enrol(None)
    registry.approve(road.hub.engine, key_id(node.config.device_key.public), now_ms())
    node.worker.exchange()
    return node


def test_a_course_comes_over_a_line_that_drops_and_by_file_to_the_next_village(served: Road) -> None:
    road, rng = served, random.Random(4)
    built = published(
        road, 1, ('id = "a"\ntitle = "A"', "![Rapat](rapat.mp4)"), film=rng.randbytes(400_000)
    )
    node = registered(road, "asri")
    node.worker.exchange()
    (offer,) = [one for one in offers.offers(node) if one.manifest_hash == sha256(built.envelope)]
    assert (offer.title, offer.version, offer.left) == ("Baru", 1, built.manifest.packed)
    offers.choose(node, offer.manifest_hash)
    with CountingProxy(("127.0.0.1", road.port)) as proxy:
        for attempt in range(40):
            proxy.link = Link(cut_after_down=proxy.counts.down + rng.randrange(30_000, 150_000))
            try:
                (pack,) = offers.fetch_chosen(node, now_ms(), (), lambda url: HttpLine(proxy.url))
                break
            except UnreachableError:
                assert attempt < 39
        proxy.settle()
        whole = len(built.envelope) + sum(map(len, built.pieces.values()))
        assert attempt > 0
        # What headers cost is little; what was cut off isn't fetched twice.
        assert proxy.counts.down <= whole * 1.05 + 400 * (attempt + 1)
    assert pack.manifest == built.manifest
    assert sha256(built.envelope) not in {one.manifest_hash for one in offers.offers(node)}
    # The next village has no signal; somebody brings the file.
    file = road.folder / "carried.lontar"
    with file.open("wb") as opened:
        export(node.packs, sha256(built.envelope), opened)
    other = registered(road, "indah")
    assert install_pack(other, file, None).manifest == built.manifest
    node.close()
    other.close()


def test_an_update_in_the_middle_of_a_test_takes_nothing_from_the_learner(served: Road) -> None:
    road = served
    lessons = (
        ('id = "baca"\ntitle = "Baca"', "Isi."),
        ('id = "uji"\ntitle = "Uji"\nrole = "posttest"', QUESTIONS),
    )
    published(road, 3, *lessons)
    node = registered(road, "tengah")
    node.worker.exchange()
    siti = node.recorder.add_learner("Siti")
    old = fetched(node, 3)
    node.learning.finish_reading(siti, old, 1, 10)
    node.learning.answer(siti, old, 2, 1, "0")

    new_test = ('id = "uji"\ntitle = "Uji"\nrole = "posttest"\nrevised_in = 4', QUESTIONS)
    published(road, 4, ('id = "baru"\ntitle = "Baru"', "Baru."), lessons[0], new_test)
    node.worker.exchange()
    new = fetched(node, 4)
    mine = {
        state.pack: state for state in node.learning.courses(siti) if state.manifest.course_id == "baru"
    }
    assert set(mine) == {old, new}, "the test under way stays in sight"
    assert [state.done for state in mine[new].lessons] == [False, True, False], "what was read counts"

    node.learning.answer(siti, old, 2, 2, "1")
    assert node.learning.submit_quiz(siti, old, 2).passed
    mine = {
        state.pack: state for state in node.learning.courses(siti) if state.manifest.course_id == "baru"
    }
    assert set(mine) == {new}
    assert mine[new].completed, "the course was completed, in its earlier version"
    assert [state.done for state in mine[new].lessons] == [False, True, False], "the test was revised"

    node.learning.hide(new)
    mine = {
        state.pack: state for state in node.learning.courses(siti) if state.manifest.course_id == "baru"
    }
    assert set(mine) == {old}
    node.close()


def fetched(node: Node, version: int) -> int:
    (offer,) = [one for one in offers.offers(node) if one.title == "Baru" and one.version == version]
    offers.fetch(node, offer.manifest_hash, HttpLine(node.config.hub_url))
    with node.store.read() as db:
        query = "SELECT number FROM packs WHERE manifest_hash = ?"
        return int(db.execute(query, (offer.manifest_hash,)).fetchone()[0])


def test_what_was_withdrawn_can_no_longer_be_chosen(served: Road) -> None:
    built = published(served, 9, ('id = "a"\ntitle = "A"', "Isi."))
    node = registered(served, "tarik")
    node.worker.exchange()
    packs.withdraw(served.hub.engine, sha256(built.envelope), "Keliru.", now_ms())
    node.worker.exchange()
    assert sha256(built.envelope) not in {one.manifest_hash for one in offers.offers(node)}
    with pytest.raises(UnknownThingError):
        offers.choose(node, sha256(built.envelope))
    node.close()


def test_the_hub_s_folder_is_where_any_web_server_may_serve_it_from(served: Road, tmp_path: Path) -> None:
    built = published(served, 10, ('id = "a"\ntitle = "A"', "Isi."))
    folder = served.hub.config.data / "packs"
    assert (folder / f"{sha256(built.envelope).hex()}.cose").read_bytes() == built.envelope
    for digest, piece in built.pieces.items():
        assert (folder / "pieces" / digest.hex()[:2] / digest.hex()).read_bytes() == piece


def test_a_laptop_near_by_is_asked_before_the_centre_and_costs_nothing(served: Road) -> None:
    built = published(served, 11, ('id = "a"\ntitle = "A"', "Isi yang dekat."))
    near, node = registered(served, "dekat"), registered(served, "jauh")
    fetched(near, 11)
    node.worker.exchange()
    offers.choose(node, sha256(built.envelope))
    asked: list[str] = []

    def line(address: str) -> HttpLine:
        asked.append(address)
        return HttpLine(address)

    neighbour = make_server("127.0.0.1", 0, create_app(near), threaded=True)
    threading.Thread(target=neighbour.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    addresses = ["http://127.0.0.1:9", f"http://127.0.0.1:{neighbour.server_port}"]
    (pack,) = offers.fetch_chosen(node, now_ms(), addresses, line)
    neighbour.shutdown()
    assert pack.manifest == built.manifest
    assert node.config.hub_url not in asked
    assert allowance(node.store, month_of(now_ms())).spent == 0
    near.close()
    node.close()

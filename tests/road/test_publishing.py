"""A publisher's computer brings a pack to the centre: over real HTTP, through breaks, and only what is lacking."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from roadside import Road
from test_packs_on_the_road import published

from bench.proxy import CountingProxy, Link
from content_packs import publishing
from content_packs.build import BuiltPack, build_pack
from content_packs.cli import pack as pack_command
from content_packs.packing import packed
from content_packs.verify import open_pack
from hub import packs
from hub.db import reading
from sync import cbor
from sync.errors import LontarError, RefusedError, UnreachableError
from sync.keys import SigningKey, sha256
from sync.post import Post


def made(road: Road, name: str, film: bytes, key: SigningKey | None = None, version: int = 1) -> BuiltPack:
    folder = road.folder / name
    folder.mkdir()
    (folder / "course.toml").write_text(
        f'id = "{name.partition("-")[0]}"\ntitle = "Jauh"\nversion = {version}\ngeneral = true\n'
    )
    (folder / "01-a.md").write_text(
        f'+++\nid = "a"\ntitle = "A"\n+++\nIsi {name}.\n\n![Rapat](rapat.mp4)\n'
    )
    (folder / "rapat.mp4").write_bytes(film)
    seed = (road.hub.config.data / "keys" / "publisher.key").read_text(encoding="ascii").strip()
    built = build_pack(folder, key or SigningKey.from_seed(bytes.fromhex(seed)))
    with (road.folder / f"{name}.lontar").open("wb") as file:
        built.write(file)
    return built


def sent(road: Road, name: str, url: str) -> publishing.Sent:
    with open_pack(road.folder / f"{name}.lontar", lambda key: True) as pack:
        return publishing.send(pack, Post(url))


def waiting(road: Road) -> set[bytes]:
    with reading(road.hub.engine) as connection:
        return {one for one, _ in packs.waiting(connection, packs.store_of(road.hub.config))}


def test_a_pack_comes_through_breaks_and_waits_to_be_given_out(served: Road) -> None:
    rng = random.Random(6)
    built = made(served, "jauh-1", rng.randbytes(3_000_000))
    whole = sum(map(len, built.pieces.values()))
    with CountingProxy(("127.0.0.1", served.port)) as proxy:
        for attempt in range(20):
            proxy.link = Link(cut_after_up=proxy.counts.up + 1_500_000 + rng.randrange(400_000))
            try:
                sent(served, "jauh-1", proxy.url)
                break
            except UnreachableError:
                assert attempt < 19
        proxy.settle()
        assert attempt > 0
        # A break costs the message that was under way: a megabyte at most.
        assert proxy.counts.up <= whole + attempt * 1_100_000 + 100_000
    assert sha256(built.envelope) in waiting(served)
    # Again: nothing goes over the line.
    assert sent(served, "jauh-1", f"http://127.0.0.1:{served.port}").sent == 0


def test_of_a_new_version_only_what_changed_is_sent(served: Road) -> None:
    film = random.Random(7).randbytes(1_000_000)
    first = made(served, "dekat-1", film)
    url = f"http://127.0.0.1:{served.port}"
    assert sent(served, "dekat-1", url).sent == len(first.pieces)
    made(served, "dekat-2", film[:500_000] + b"baru" + film[500_000:], version=2)
    again = sent(served, "dekat-2", url)
    assert 0 < again.sent < again.of / 2


def test_a_stranger_s_pack_is_refused_before_a_piece_is_sent(served: Road) -> None:
    built = made(served, "asing-1", b"film", SigningKey.from_seed(b"s" * 32))
    with pytest.raises(RefusedError, match="tidak dikenal"):
        sent(served, "asing-1", f"http://127.0.0.1:{served.port}")
    store = packs.store_of(served.hub.config)
    assert store.offer(sha256(built.envelope)) is None


def test_pieces_of_nothing_that_was_offered_and_wrong_ones_are_refused(served: Road) -> None:
    road = Post(f"http://127.0.0.1:{served.port}")
    built = made(served, "benar-1", random.Random(8).randbytes(200_000))
    digest = next(iter(built.pieces))
    manifest_hash = sha256(built.envelope)

    def refused(body: bytes) -> None:
        with pytest.raises(LontarError):
            road.send(publishing.PIECES_PATH, body, publishing.ANSWER_MOST)

    refused(cbor.encode([manifest_hash, [[digest, built.pieces[digest]]]]))
    road.send(publishing.OFFER_PATH, built.envelope, publishing.ANSWER_MOST)
    for wrong in (
        [manifest_hash, [[digest, packed(b"lain")]]],
        [manifest_hash, [digest]],
        [manifest_hash],
        5,
        [],
    ):
        refused(cbor.encode(wrong))
    refused(b"x")
    for body in (b"", b"x" * 100, built.envelope[:-1]):
        with pytest.raises(LontarError):
            road.send(publishing.OFFER_PATH, body, publishing.ANSWER_MOST)
    assert manifest_hash not in waiting(served)
    # The right ones are taken all the same, and strangers among them are passed over.
    strange = [[sha256(b"lain"), packed(b"lain")]]
    everything = [[one, piece] for one, piece in built.pieces.items()]
    answer = road.send(
        publishing.PIECES_PATH, cbor.encode([manifest_hash, strange + everything]), publishing.ANSWER_MOST
    )
    assert cbor.decode(answer, 10) == 0
    assert manifest_hash in waiting(served)
    assert packs.store_of(served.hub.config).lacking(built.manifest) == []


def test_the_command_says_what_went_over_the_line(served: Road, tmp_path: Path) -> None:
    published(served, 31, ('id = "a"\ntitle = "A"', "Isi."))
    file = str(served.folder / "course-31" / "x.lontar")
    done = CliRunner().invoke(pack_command, ["publish", file, "--hub", f"http://127.0.0.1:{served.port}"])
    assert done.exit_code == 0
    assert "0 dari" in done.output
    nobody = CliRunner().invoke(pack_command, ["publish", file, "--hub", "http://127.0.0.1:9"])
    assert nobody.exit_code == 4

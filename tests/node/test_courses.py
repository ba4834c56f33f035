"""Courses on one laptop: made here, taken back, making room, and what fetching them may cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from village import made_village

from content_packs.build import build_pack
from content_packs.errors import NoSpaceError, PackError, UntrustedPackError
from node import allowance, courses
from node.allowance import CountedLine
from node.errors import AllowanceSpentError, UnknownThingError
from node.room import free_room
from node.wiring import Node
from sync.keys import SigningKey, fingerprint

PUBLISHER = SigningKey.from_seed(b"publisher".ljust(32, b"."))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = made_village(tmp_path, ("Siti Aminah", "Kepala Desa"))
    yield made
    made.close()


def folder(at: Path, id_: str, version: int = 1, words: str = "Isi.") -> Path:
    at.mkdir()
    (at / "course.toml").write_text(f'id = "{id_}"\ntitle = "{id_}"\nversion = {version}\ngeneral = true\n')
    (at / "01-a.md").write_text(f'+++\nid = "a"\ntitle = "A"\n+++\n{words}\n')
    return at


def signed(at: Path, course: Path, key: SigningKey) -> Path:
    with at.open("wb") as file:
        build_pack(course, key).write(file)
    return at


def seen(node: Node) -> dict[str, int]:
    """The courses on a learner's list, with their versions."""
    return {state.manifest.course_id: state.manifest.version for state in node.learning.courses(0)}


def newer(node: Node, tmp_path: Path, version: int, words: str = "Baru.") -> None:
    """A later version of the course that every test village has."""
    made = folder(tmp_path / f"v{version}", "kas-desa", version, words)
    courses.install_pack(
        node, signed(tmp_path / f"v{version}.lontar", made, PUBLISHER), fingerprint(PUBLISHER.public)
    )


def test_a_village_makes_a_course_of_its_own(node: Node, tmp_path: Path) -> None:
    made = courses.make_local(node, folder(tmp_path / "sejarah", "sejarah-desa"), tmp_path / "s.lontar")
    assert seen(node) == {"kas-desa": 1, "sejarah-desa": 1}
    (local,) = [one for one in courses.listed(node) if one.is_local]
    assert local.manifest == made.manifest
    # The same file is nothing to another village.
    other = made_village(_fresh(tmp_path / "lain"))
    with pytest.raises(UntrustedPackError):
        courses.install_pack(other, tmp_path / "s.lontar", None)
    other.close()


def test_a_village_can_t_put_its_own_in_the_place_of_a_publisher_s_course(
    node: Node, tmp_path: Path
) -> None:
    with pytest.raises(PackError, match="milik penerbit"):
        courses.make_local(node, folder(tmp_path / "tiru", "kas-desa", 99))
    assert seen(node) == {"kas-desa": 1}


def test_a_publisher_who_takes_a_village_s_course_over_comes_first_and_keeps_what_was_learned(
    node: Node, tmp_path: Path
) -> None:
    made = folder(tmp_path / "sejarah", "sejarah-desa", 3)
    courses.make_local(node, made)
    pack = next(one.pack for one in courses.listed(node) if one.is_local)
    node.learning.finish_reading(0, pack, 1, 10)
    adopted = folder(tmp_path / "pusat", "sejarah-desa", 1, "Diperiksa penerbit.")
    courses.install_pack(
        node, signed(tmp_path / "p.lontar", adopted, PUBLISHER), fingerprint(PUBLISHER.public)
    )
    (state,) = [one for one in node.learning.courses(0) if one.manifest.course_id == "sejarah-desa"]
    assert (state.manifest.version, state.done) == (1, 1)
    with pytest.raises(PackError, match="milik penerbit"):
        courses.make_local(node, folder(tmp_path / "lagi", "sejarah-desa", 4))


def test_a_version_is_taken_back_and_put_on_the_list_again(node: Node, tmp_path: Path) -> None:
    newer(node, tmp_path, 2)
    assert seen(node) == {"kas-desa": 2}
    taken, before = courses.take_back(node, "kas-desa")
    assert (taken.version, before.version) == (2, 1)
    assert seen(node) == {"kas-desa": 1}
    with pytest.raises(UnknownThingError):
        courses.take_back(node, "kas-desa")
    assert courses.show_again(node, "kas-desa").version == 2
    assert seen(node) == {"kas-desa": 2}
    with pytest.raises(UnknownThingError):
        courses.show_again(node, "kas-desa")


def test_versions_that_nobody_learns_from_make_way_only_when_there_is_no_room(
    node: Node, tmp_path: Path
) -> None:
    newer(node, tmp_path, 2)
    (old,) = [one for one in courses.listed(node) if one.manifest.version == 1]
    free = [10**12]
    node.packs._free_bytes = lambda folder: free[0]
    newer(node, tmp_path, 3)
    assert not node.packs.lacking(old.manifest)
    free[0] = 0
    with pytest.raises(NoSpaceError):
        newer(node, tmp_path, 4, "Tidak muat.")
    assert node.packs.lacking(old.manifest)
    assert seen(node) == {"kas-desa": 3}
    # Its content is gone, so nobody can go back to it.
    with pytest.raises(PackError, match="ruang sempit"):
        courses.take_back(node, "kas-desa")
    assert seen(node) == {"kas-desa": 3}


def test_a_test_under_way_keeps_its_version_on_the_disk(node: Node, tmp_path: Path) -> None:
    (old,) = courses.listed(node)
    node.learning.answer(0, old.pack, 3, 1, "0")
    newer(node, tmp_path, 2)
    free_room(node)
    assert not node.packs.lacking(old.manifest)


class Source:
    """A line without end; counts the files that were asked of it."""

    def __init__(self) -> None:
        self.asked = 0

    def read(self, path: str, start: int) -> Iterator[bytes]:
        self.asked += 1
        yield from (b"x" * 100_000 for _ in range(4))


def test_fetching_stops_where_the_month_s_allowance_ends(node: Node) -> None:
    allowance.allow(node.store, 1, 150)
    source = Source()
    line = CountedLine(source, node.store, "2026-11")
    for _ in range(3):
        assert sum(map(len, line.read("x", 0))) == 400_000
    with pytest.raises(AllowanceSpentError):
        list(line.read("x", 0))
    assert source.asked == 3, "nothing is asked for that can't be paid"
    state = allowance.allowance(node.store, "2026-11")
    assert (state.spent, state.left, state.cost(2_500_000)) == (1_200_000, 0, 375)
    # A new month begins at nothing.
    assert allowance.allowance(node.store, "2026-12").left == 1_000_000


def test_what_came_before_a_line_broke_is_counted(node: Node) -> None:
    line = CountedLine(Source(), node.store, "2026-11")
    arriving = line.read("x", 0)
    next(arriving)
    arriving.close()  # type: ignore[attr-defined]
    assert allowance.allowance(node.store, "2026-11").spent == 100_000
    assert allowance.allowance(node.store, "2026-11").left is None


def _fresh(at: Path) -> Path:
    at.mkdir()
    return at

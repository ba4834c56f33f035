"""What an author is told before publishing, and what a new version changes for learners and lines."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from content_packs.build import BuiltPack, build_pack
from content_packs.changes import Fate, lesson_changes, new_pieces
from content_packs.check import check
from content_packs.cli import pack
from content_packs.errors import PackError
from content_packs.verify import open_pack
from sync.keys import SigningKey

KEY = SigningKey.from_seed(b"p" * 32)
TODAY = date(2026, 11, 25)
GOOD = """+++
id = "{id}"
title = "{id}"
minutes = 5
legal_basis = ["UU 6/2014"]
reviewed = "2026-11-01"
{more}+++
{body}
"""


def course(folder: Path, *lessons: str, version: int = 1, general: bool = False) -> Path:
    folder.mkdir()
    toml = f'id = "kas"\ntitle = "Kas"\nversion = {version}\ngeneral = {str(general).lower()}\n'
    (folder / "course.toml").write_text(toml)
    for number, text in enumerate(lessons, start=1):
        (folder / f"0{number}-x.md").write_text(text)
    return folder


def lesson(id_: str, body: str = "Isi.", more: str = "") -> str:
    return GOOD.format(id=id_, body=body, more=more)


def told(folder: Path) -> list[str]:
    return [f"{one.file}: {one.text % one.details}" for one in check(folder, TODAY)]


def test_a_course_with_nothing_to_say_about_is_passed_in_silence(tmp_path: Path) -> None:
    question = "## [q] Ya?\n- [x] Ya\n- [ ] Tidak\n> Karena begitu.\n"
    tests = [lesson(role, question, f'role = "{role}"\n') for role in ("pretest", "posttest")]
    assert told(course(tmp_path / "c", lesson("a"), *tests)) == []


@pytest.mark.parametrize(
    ("body", "more", "sentence"),
    [
        ("x" * 13_000, "", "Bacaannya panjang (13000 huruf)"),
        ("## [q] Ya?\n- [x] Ya\n- [ ] Tidak\n", "", "Soal [q] tidak punya penjelasan"),
        ("![Peta](besar.png)", "", "besar.png besar (400 KB): 1 menit"),
        ("![Rapat](rapat.mp4)", "", "rapat.mp4 tidak punya teks terjemahan (rapat.vtt)"),
    ],
)
def test_what_makes_a_lesson_worse_for_a_village_is_told(
    tmp_path: Path, body: str, more: str, sentence: str
) -> None:
    folder = course(tmp_path / "c", lesson("a", body, more))
    (folder / "besar.png").write_bytes(bytes(400_000))
    (folder / "rapat.mp4").write_bytes(b"film")
    assert any(one.startswith("01-x.md: ") and sentence in one for one in told(folder))


def test_a_lesson_that_was_reviewed_long_ago_is_to_be_reviewed_again(tmp_path: Path) -> None:
    old = lesson("a").replace("2026-11-01", "2020-01-01")
    assert any("Terakhir ditinjau 2020-01-01" in one for one in told(course(tmp_path / "c", old)))


def test_a_general_course_is_told_what_it_leaves_out(tmp_path: Path) -> None:
    folder = course(tmp_path / "c", '+++\nid = "a"\ntitle = "A"\n+++\nIsi.\n', general=True)
    sentences = " ".join(told(folder))
    for part in ("legal_basis", "reviewed", "minutes", "tes awal", "tes akhir"):
        assert part in sentences


def test_what_cannot_be_built_is_told_first(tmp_path: Path) -> None:
    with pytest.raises(PackError):
        check(course(tmp_path / "c", "no head"), TODAY)


def two(tmp_path: Path) -> tuple[BuiltPack, BuiltPack]:
    film = random.Random(1).randbytes(600_000)
    old = course(tmp_path / "old", lesson("a"), lesson("b"), lesson("c"), lesson("d", "![F](f.mp4)"))
    new = course(
        tmp_path / "new",
        lesson("a"),
        lesson("b", "Lain."),
        lesson("baru"),
        lesson("e", more='was = ["c"]\nrevised_in = 2\n'),
        version=2,
    )
    (old / "f.mp4").write_bytes(film)
    return build_pack(old, KEY), build_pack(new, KEY)


def test_each_lesson_is_the_same_revised_new_or_dropped(tmp_path: Path) -> None:
    old, new = two(tmp_path)
    changes = lesson_changes(old.manifest, new.manifest)
    assert [(one.id, one.fate, one.content_changed) for one in changes] == [
        ("a", Fate.SAME, False),
        ("b", Fate.SAME, True),
        ("baru", Fate.NEW, True),
        ("e", Fate.REVISED, False),
        ("d", Fate.DROPPED, True),
    ]


def test_only_pieces_that_the_old_version_lacks_are_to_be_fetched(tmp_path: Path) -> None:
    old, new = two(tmp_path)
    fetched = new_pieces(old.manifest, new.manifest)
    assert fetched == set(new.pieces) - set(old.pieces)
    assert len(new_pieces(new.manifest, old.manifest)) > len(fetched), "the film is only in the old one"


def test_authors_see_both_on_the_command_line(tmp_path: Path) -> None:
    files = []
    for name, built in zip(("old", "new"), two(tmp_path), strict=True):
        files.append(str(tmp_path / f"{name}.lontar"))
        with Path(files[-1]).open("wb") as file:
            built.write(file)
    shown = CliRunner().invoke(pack, ["diff", *files])
    assert shown.exit_code == 0, shown.output
    assert "diulang    e" in shown.output and "dihapus    d" in shown.output
    shown = CliRunner().invoke(pack, ["check", str(tmp_path / "new")])
    assert shown.exit_code == 0 and "4 materi" in shown.output


def test_a_publisher_signs_what_somebody_else_made(tmp_path: Path) -> None:
    made = build_pack(course(tmp_path / "c", lesson("a")), KEY)
    with (tmp_path / "desa.lontar").open("wb") as file:
        made.write(file)
    publisher = SigningKey.from_seed(b"q" * 32)
    (tmp_path / "q.key").write_text(publisher.seed.hex())
    command = [
        "sign",
        str(tmp_path / "desa.lontar"),
        "--key",
        str(tmp_path / "q.key"),
        "--publisher",
        "Dinas",
    ]
    command += ["-o", str(tmp_path / "pusat.lontar")]
    assert CliRunner().invoke(pack, command).exit_code == 0
    with open_pack(tmp_path / "pusat.lontar", lambda key: key == publisher.public) as opened:
        assert opened.manifest.publisher == "Dinas"
        assert opened.manifest.files == made.manifest.files
        assert opened.manifest.course_key == made.manifest.course_key
    again = CliRunner().invoke(pack, command)
    assert again.exit_code == 2 and "sudah ada" in again.output

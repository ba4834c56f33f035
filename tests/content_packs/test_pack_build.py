"""Building: the same folder and key give the same bytes, and numbers follow the order of the files."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workshop import FILES, HEAD, PUBLISHER, QUESTION, READING, STRANGER, built, course_folder, pack_bytes

from content_packs import limits
from content_packs.build import build_pack
from content_packs.errors import PackError
from content_packs.manifest import open_manifest
from content_packs.packing import STORED, ZSTD, packed
from content_packs.verify import unpacked
from sync import cbor
from sync.keys import sha256


def test_the_same_folder_and_key_give_the_same_bytes(tmp_path: Path) -> None:
    first = course_folder(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    second = course_folder(tmp_path / "elsewhere", dict(reversed(FILES.items())))
    for file in second.iterdir():
        os.utime(file, (0, 0))
    assert pack_bytes(build_pack(first, PUBLISHER)) == pack_bytes(build_pack(second, PUBLISHER))


def test_a_pack_does_not_tell_on_which_system_it_was_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = built(tmp_path)
    files = []
    for system in ("win32", "linux"):
        monkeypatch.setattr(sys, "platform", system)
        files.append(pack_bytes(pack))
    assert files[0] == files[1]


def test_another_key_or_another_letter_gives_another_pack(tmp_path: Path) -> None:
    folder = course_folder(tmp_path)
    before = build_pack(folder, PUBLISHER).envelope
    assert build_pack(folder, STRANGER).envelope != before
    (folder / "01-buku-kas.md").write_text(HEAD + READING + QUESTION.replace("Kapan", "Bilamana"))
    assert build_pack(folder, PUBLISHER).envelope != before


def test_line_ends_and_the_mark_that_windows_writes_change_nothing(tmp_path: Path) -> None:
    folder = course_folder(tmp_path)
    before = build_pack(folder, PUBLISHER).envelope
    for name in ("course.toml", "01-buku-kas.md", "02-tes-akhir.md"):
        text = (folder / name).read_bytes().replace(b"\n", b"\r\n")
        (folder / name).write_bytes(b"\xef\xbb\xbf" + text)
    assert build_pack(folder, PUBLISHER).envelope == before


def test_lessons_are_numbered_by_the_names_of_their_files(tmp_path: Path) -> None:
    lesson = HEAD.replace("buku-kas", "pembuka")
    manifest = built(tmp_path, {"00-pembuka.md": lesson + "Selamat datang."}).manifest
    assert [(lesson.number, lesson.id) for lesson in manifest.lessons] == [
        (1, "pembuka"),
        (2, "buku-kas"),
        (3, "tes-akhir"),
    ]
    assert manifest.lesson(3) == manifest.lessons[2]
    assert manifest.lesson(0) is manifest.lesson(4) is None


def test_ids_stay_when_a_question_moves_and_numbers_follow_its_place(tmp_path: Path) -> None:
    other = QUESTION.replace("[catat]", "[simpan]").replace("dicatat", "disimpan")
    folder = course_folder(tmp_path, {"02-tes-akhir.md": FILES["02-tes-akhir.md"] + other})
    assert build_pack(folder, PUBLISHER).manifest.lessons[1].question_ids == ("catat", "simpan")
    head = FILES["02-tes-akhir.md"].removesuffix(QUESTION)
    (folder / "02-tes-akhir.md").write_text(head + other + QUESTION)
    assert build_pack(folder, PUBLISHER).manifest.lessons[1].question_ids == ("simpan", "catat")


def test_a_course_is_the_same_course_in_every_version(tmp_path: Path) -> None:
    folder = course_folder(tmp_path)
    first = build_pack(folder, PUBLISHER).manifest
    (folder / "course.toml").write_text(FILES["course.toml"].replace("version = 1", "version = 2"))
    second = build_pack(folder, PUBLISHER).manifest
    assert (first.version, second.version) == (1, 2)
    assert first.course_key == second.course_key == sha256(b"lontar/course/1kas-desa")[:16]


def test_what_is_not_a_lesson_or_a_shown_picture_stays_outside(tmp_path: Path) -> None:
    notes = {"SUMBER.md": "catatan", "catatan.md": "x", "1-a.md": "x", "lain.svg": "<svg/>"}
    pack = built(tmp_path, notes)
    assert [file.path for file in pack.manifest.files] == ["buku-kas.cbor", "tes-akhir.cbor", "buku.svg"]


def test_a_lesson_file_holds_the_reading_and_the_questions(tmp_path: Path) -> None:
    pack = built(tmp_path)
    file = pack.manifest.file("buku-kas.cbor")
    assert file and (file.media_type, len(file.pieces)) == ("application/cbor", 1)
    assert cbor.decode(unpacked(pack.pieces[file.pieces[0]], file.pieces[0])) == [
        1,
        "<h2>Mencatat setiap hari</h2>\n<p>Catat uang <strong>masuk dan keluar</strong>.</p>\n"
        '<p><img src="media:buku.svg" alt="Buku kas"></p>\n',
        [
            [
                "catat",
                "Kapan uang dicatat?",
                ["Hari ini", "Tahun depan"],
                0,
                "Dicatat pada hari yang sama.",
            ]
        ],
    ]


def test_the_pack_file_is_a_zip_without_compression_or_dates(tmp_path: Path) -> None:
    pack = built(tmp_path)
    with zipfile.ZipFile(io.BytesIO(pack_bytes(pack))) as archive:
        members = archive.infolist()
    assert [member.filename for member in members] == [
        "manifest.cose",
        *sorted("pieces/" + digest.hex() for digest in pack.pieces),
    ]
    assert {(member.compress_type, member.date_time) for member in members} == {
        (zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0))
    }


def test_a_large_picture_is_cut_into_pieces_that_are_not_compressed_again(tmp_path: Path) -> None:
    image = b"\x89PNG" + bytes(limits.PIECE)
    lesson = HEAD + "![Peta](peta.png)\n"
    pack = built(tmp_path, {"01-buku-kas.md": lesson, "peta.png": image})
    file = pack.manifest.file("peta.png")
    assert file and (file.media_type, file.size) == ("image/png", len(image))
    assert len(file.pieces) > 1
    assert {pack.pieces[digest][:1] for digest in file.pieces} == {STORED}
    assert file.packed == len(image) + len(file.pieces)
    assert b"".join(unpacked(pack.pieces[digest], digest) for digest in file.pieces) == image


def test_files_with_the_same_content_share_their_pieces(tmp_path: Path) -> None:
    lesson = HEAD + "![Satu](satu.svg) ![Dua](dua.svg)\n"
    pack = built(tmp_path, {"01-buku-kas.md": lesson, "satu.svg": "<svg/>", "dua.svg": "<svg/>"})
    one, two = pack.manifest.file("satu.svg"), pack.manifest.file("dua.svg")
    assert one and two and one.pieces == two.pieces
    assert len(pack.pieces) == 3


def test_a_piece_is_compressed_only_where_that_pays() -> None:
    assert packed(b"a" * 1000)[:1] == ZSTD
    assert packed(b"a") == STORED + b"a"
    assert packed(b"") == STORED


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.builds(lambda b, n: b * n, st.binary(max_size=9), st.integers(0, 5000)))
def test_what_was_packed_unpacks_to_the_same(piece: bytes) -> None:
    assert unpacked(packed(piece), sha256(piece)) == piece


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        (None, "tidak berisi course.toml"),
        ("title =", "course.toml tidak dapat dibaca"),
        (b"\xff\xfe", "course.toml tidak dapat dibaca"),
        ('title = "Kas"\nversion = 1', "id harus ada"),
        ('id = "Kas Desa"\ntitle = "Kas"\nversion = 1', "id harus ada"),
        ('id = 5\ntitle = "Kas"\nversion = 1', "id harus ada"),
        ('id = "kas"\nversion = 1', "title harus ada"),
        ('id = "kas"\ntitle = "Kas"', "version harus ada"),
        ('id = "kas"\ntitle = "Kas"\nversion = true', "version harus ada"),
        ('id = "kas"\ntitle = "Kas"\nversion = "1"', "version harus ada"),
        ('id = "kas"\ntitle = "Kas"\nversion = 1\nauthor = "A"', "author tidak dikenal"),
        ('id = "kas"\ntitle = "Kas"\nversion = 0', "version mulai 1"),
        ('id = "kas"\ntitle = "Kas"\nversion = 1\npassing_grade = 101', "passing_grade 0–100"),
        ('id = "kas"\ntitle = "Kas"\nversion = 1\nattempts = 0', "attempts 1–100"),
        ('id = "kas"\ntitle = "Kas"\nversion = 1\nhours_jp = -1', "hours_jp 0–1000"),
    ],
)
def test_a_course_toml_that_must_be_mended_is_told_so(
    tmp_path: Path, toml: str | bytes | None, sentence: str
) -> None:
    with pytest.raises(PackError) as refused:
        built(tmp_path, {"course.toml": toml})
    assert sentence in str(refused.value)
    assert "course.toml" in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "file", "sentence"),
    [
        ({"03-lagi.md": HEAD}, "01-buku-kas.md", "id buku-kas sudah dipakai materi lain"),
        ({"01-buku-kas.md": HEAD + "![Kas](hilang.svg)"}, "01-buku-kas.md", "hilang.svg tidak ada. Taruh"),
        ({"01-buku-kas.md": HEAD + "![Kas](Buku.SVG)", "Buku.SVG": "<svg/>"}, "01-buku-kas.md", "huruf kecil"),
        ({"01-buku-kas.md": HEAD + "![Kas](../buku.svg)"}, "01-buku-kas.md", "tidak ada. Taruh di folder"),
        ({"01-buku-kas.md": HEAD + "![Kas](https://a.id/b.png)"}, "01-buku-kas.md", "tidak ada. Taruh"),
        ({"01-buku-kas.md": HEAD + "![](buku.svg)"}, "01-buku-kas.md", "harus punya teks pengganti"),
        ({"01-buku-kas.md": HEAD + "![ ](buku.svg)"}, "01-buku-kas.md", "harus punya teks pengganti"),
        ({"01-buku-kas.md": HEAD + "![][b]\n\n[b]: buku.svg"}, "01-buku-kas.md", "teks pengganti"),
        (
            {"01-buku-kas.md": HEAD + QUESTION.replace("Hari ini", "![Kas](buku.svg)")},
            "01-buku-kas.md",
            "[catat] harus dipindahkan ke bacaan",
        ),
        ({"01-buku-kas.md": HEAD + "![Kas](kas.bmp)", "kas.bmp": "BM"}, "kas.bmp", "harus gambar (.svg, .png"),
        ({"01-buku-kas.md": None, "02-tes-akhir.md": None}, "course", "tidak berisi materi"),
    ],
)  # fmt: skip
def test_a_folder_that_must_be_mended_is_told_where_and_how(
    tmp_path: Path, changes: dict[str, Any], file: str, sentence: str
) -> None:
    with pytest.raises(PackError) as refused:
        built(tmp_path, changes)
    assert file in str(refused.value)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"course.toml": FILES["course.toml"] + f'summary = "{"a" * (limits.TEXT + 1)}"'},
        {"01-buku-kas.md": HEAD.replace("Buku kas umum", "a" * (limits.TEXT + 1))},
        {"01-buku-kas.md": HEAD + "kata " * (limits.PIECE // 5)},
        {f"{at // 10}{at % 10}-x{at}.md": HEAD.replace("buku-kas", f"x{at}").replace("Contoh", "a" * 60_000)
         for at in range(20)},
    ],
    ids=["summary", "title", "reading", "table of contents"],
)  # fmt: skip
def test_nothing_is_built_that_could_not_be_opened_again(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(PackError, match="Bagilah menjadi beberapa pelatihan"):
        built(tmp_path, changes)


def test_what_is_built_can_be_opened(tmp_path: Path) -> None:
    pack = built(tmp_path)
    assert open_manifest(pack.envelope) == pack.manifest

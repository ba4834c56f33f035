"""Films and sound, alone or in a folder: known by their bytes, each a lesson, with its subtitles."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from foreign import build, check, damaged
from hypothesis import HealthCheck, given, settings

from content_packs import limits
from content_packs.errors import PackError
from content_packs.importers import media
from content_packs.importers.draft import Draft

MANY: Final = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def box(name: bytes, *content: bytes) -> bytes:
    inside = b"".join(content)
    return (8 + len(inside)).to_bytes(4) + name + inside


def mp4(brand: bytes = b"isom", track: bytes = b"vide", coding: bytes = b"avc1") -> bytes:
    """As ISO 14496-12 has it, as far as it is looked at: brands, the data, then the index with a track."""
    handler = box(b"hdlr", b"\0" * 8, track, b"\0" * 13)
    index = box(b"moov", box(b"trak", box(b"mdia", handler, box(b"stsd", b"\0" * 8, box(coding)))))
    return (
        box(b"ftyp", brand, b"\0\0\2\0", b"isom" if brand != b"qt  " else b"qt  ")
        + box(b"mdat", b"x" * 50)
        + index
    )


WEBM: Final = (
    b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm\x42\x87\x81\x04" + b"\x86\x85V_VP9" + b"x" * 20
)
OGG: Final = b"OggS\0\2" + b"\0" * 20 + b"\1\x1e\1vorbis"
MP3: Final = b"\xff\xfb\x90\x64" + b"\0" * 400
WAV: Final = b"RIFF\x24\0\0\0WAVEfmt "
SRT: Final = "1\r\n00:00:01,500 --> 00:00:04,000\r\n{\\an8}<font color='red'>Catat</font> --> kas\r\n\r\n2\r\n1:00:05,5 --> 1:00:06,000\r\n<i>Rapat</i>\r\n"


def file(at: Path, name: str, content: bytes) -> Path:
    path = at / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def read(path: Path) -> Draft:
    assert media.recognises(path)
    return check(media.read(path))


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (mp4(), ".mp4"),
        (mp4(b"M4A "), ".m4a"),
        (mp4(track=b"soun", coding=b"mp4a"), ".m4a"),
        (WEBM, ".webm"),
        (OGG, ".ogg"),
        (MP3, ".mp3"),
        (b"ID3\3" + b"\0" * 20, ".mp3"),
        (WAV, ".wav"),
    ],
)
def test_a_file_is_what_its_bytes_say(content: bytes, ending: str, tmp_path: Path) -> None:
    draft = read(file(tmp_path, "Rapat Desa.bin", content))
    (lesson,) = draft.lessons
    assert lesson.title == draft.title == "Rapat Desa"
    assert lesson.html == f'<p><img src="media:rapat-desa-bin{ending}" alt="Rapat Desa"></p>'.replace(
        "-bin", ""
    )
    assert {name: given() for name, given in draft.media.items()} == {f"rapat-desa{ending}": content}


@pytest.mark.parametrize(
    "content",
    [
        mp4(b"qt  "),
        mp4()[:-10],
        mp4()[:40],
        box(b"ftyp", b"heic", b"\0\0\0\0", b"mif1"),
        WEBM.replace(b"webm", b"matroska"),
        OGG.replace(b"vorbis", b"\x80theora"),
        b"RIFF\0\0\0\0AVI ",
        "\ufeffteks".encode("utf-16"),
        b"\xff\xd8\xff\xe0JFIF",
        b"",
    ],
)
def test_what_browsers_can_t_play_is_refused_with_what_to_do(content: bytes, tmp_path: Path) -> None:
    path = file(tmp_path, "a.mp4", content)
    assert not media.recognises(path)
    with pytest.raises(PackError) as refused:
        media.read(path)
    assert "MP4" in refused.value.sentence()


def test_a_film_in_a_coding_that_old_laptops_don_t_know_is_named(tmp_path: Path) -> None:
    draft = read(file(tmp_path, "a.mp4", mp4(coding=b"hvc1")))
    assert any("HEVC" in said for said in draft.report.changed)


def test_subtitles_of_the_same_name_come_along_as_webvtt(tmp_path: Path) -> None:
    file(tmp_path, "kas.id.srt", SRT.encode())
    file(tmp_path, "KAS.srt", SRT.encode("utf-16"))
    file(tmp_path, "kas-lain.srt", SRT.encode())
    draft = read(file(tmp_path, "kas.mp4", mp4()))
    assert set(draft.media) == {"kas.mp4", "kas.vtt"}
    assert draft.media["kas.vtt"]().decode() == (
        "WEBVTT\n\n1\n00:00:01.500 --> 00:00:04.000\nCatat → kas\n\n"
        "2\n01:00:05.500 --> 01:00:06.000\n<i>Rapat</i>\n"
    )
    assert any("kas.id.srt" in said for said in draft.report.left_out)
    assert any("SRT" in said for said in draft.report.changed)
    pack = build(draft, tmp_path / "folder")
    assert {one.path for one in pack.manifest.files} == {"kas.cbor", "kas.mp4", "kas.vtt"}


def test_webvtt_is_taken_before_subrip_and_stays_as_it_is(tmp_path: Path) -> None:
    text = "WEBVTT\n\nNOTE x\n\n00:01.000 --> 00:02.000 align:start\nKas --> desa\n"
    file(tmp_path, "a.srt", SRT.encode())
    file(tmp_path, "a.vtt", text.encode("utf-8-sig"))
    assert read(file(tmp_path, "a.mp4", mp4())).media["a.vtt"]().decode() == text


@pytest.mark.parametrize("content", [b"", b"halo", b"WEBVTT\n\nhalo", b"\0" * 100])
def test_subtitles_without_a_line_to_show_are_named(content: bytes, tmp_path: Path) -> None:
    file(tmp_path, "a.vtt", content)
    draft = read(file(tmp_path, "a.mp4", mp4()))
    assert set(draft.media) == {"a.mp4"}
    assert any("a.vtt" in said for said in draft.report.left_out)


def test_a_folder_becomes_a_course_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    root = tmp_path / "Kas_Desa"
    file(root, "10 tutup.mp3", MP3)
    file(root, "2 isi.mp4", mp4())
    file(root, "2 isi.srt", SRT.encode())
    file(root, "bagian dua/a.webm", WEBM)
    file(root, "bagian dua/2 isi.mp4", mp4())
    file(root, "rusak.mp4", mp4()[:-10])
    file(root, "catatan.txt", b"x")
    draft = read(root)
    assert draft.title == "Kas Desa"
    assert [(lesson.title, lesson.module) for lesson in draft.lessons] == [
        ("2 isi", ""),
        ("10 tutup", ""),
        ("2 isi", "bagian dua"),
        ("a", "bagian dua"),
    ]
    assert set(draft.media) == {"2-isi.mp4", "2-isi.vtt", "10-tutup.mp3", "2-isi-2.mp4", "a.webm"}
    left_out = " ".join(draft.report.left_out)
    assert "rusak.mp4" in left_out and "catatan.txt" in left_out and "srt" not in left_out
    assert len(build(draft, tmp_path / "folder").manifest.lessons) == 4


def test_folders_of_something_else_are_left_to_others(tmp_path: Path) -> None:
    file(tmp_path, "a/catatan.txt", b"x")
    assert not media.recognises(tmp_path / "a")
    with pytest.raises(PackError):
        media.read(tmp_path / "a")
    file(tmp_path, "a/film.mp4", mp4())
    file(tmp_path, "a/course.toml", b"")
    assert not media.recognises(tmp_path / "a")
    assert not media.recognises(tmp_path / "tidak-ada")


def test_more_films_than_a_course_may_have_lessons_are_refused(tmp_path: Path) -> None:
    for number in range(limits.LESSONS + 1):
        file(tmp_path, f"{number}.mp3", MP3)
    with pytest.raises(PackError) as refused:
        media.read(tmp_path)
    assert str(limits.LESSONS + 1) in refused.value.sentence()


def test_links_in_a_folder_aren_t_followed(tmp_path: Path) -> None:
    file(tmp_path, "luar/rahasia.mp4", mp4())
    file(tmp_path, "dalam/film.mp4", mp4())
    (tmp_path / "dalam" / "tautan.mp4").symlink_to(tmp_path / "luar" / "rahasia.mp4")
    (tmp_path / "dalam" / "folder").symlink_to(tmp_path / "luar")
    assert [lesson.title for lesson in read(tmp_path / "dalam").lessons] == ["film"]


@MANY
@given(damaged(mp4()))
def test_no_damage_brings_anything_but_a_refusal_or_a_draft(tmp_path: Path, data: bytes) -> None:
    path = file(tmp_path, "rusak.mp4", data)
    media.recognises(path)
    try:
        check(media.read(path))
    except PackError as problem:
        assert problem.sentence()


@MANY
@given(damaged(SRT.encode()))
def test_no_damage_of_subtitles_keeps_a_film_out(tmp_path: Path, data: bytes) -> None:
    file(tmp_path, "a.srt", data)
    draft = read(file(tmp_path, "a.mp4", mp4()))
    for name, given_ in draft.media.items():
        assert name == "a.mp4" or given_().startswith(b"WEBVTT\n")

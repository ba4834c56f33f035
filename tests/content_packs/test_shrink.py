"""A smaller copy of a course folder: the author's is never changed, and what doesn't get smaller stays as it is."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result
from PIL import Image
from workshop import course_folder

from content_packs.build import build_pack
from content_packs.cli_shrink import shrink as command
from content_packs.cli_shrink import small_copy
from content_packs.errors import PackError
from content_packs.shrink import MEDIA_LEAST, PICTURE_MOST, PICTURE_WIDTH, shrink
from sync.keys import SigningKey

KEY: Final = SigningKey.from_seed(b"p" * 32)


def photo(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Patches of colour with edges, as photos have."""
    small = Image.frombytes("RGB", (40, 30), random.Random(1).randbytes(40 * 30 * 3))
    return small.resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def lontar_shrink(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_pictures_become_no_wider_than_a_screen_and_keep_their_names(tmp_path: Path) -> None:
    folder, to = course_folder(tmp_path), tmp_path / "kecil"
    for name in ("a.jpg", "b.png", "c.webp"):
        photo(2000, 1500).save(folder / name, quality=95)
    photo(300, 200).save(folder / "kecil.png")
    before = contents(folder)
    said: list[str] = []
    result = shrink(folder, to, lambda file: said.append(file.name))
    after = contents(to)
    assert contents(folder) == before
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {"a.jpg", "b.png", "c.webp"}
    for name, kind in (("a.jpg", "JPEG"), ("b.png", "PNG"), ("c.webp", "WEBP")):
        with Image.open(to / name) as picture:
            assert (picture.format, picture.size) == (kind, (PICTURE_WIDTH, 1024))
    assert said == [file.name for file in result.files]
    assert all(
        file.after == len(after[file.name]) < file.before == len(before[file.name]) for file in result.files
    )


def test_the_copy_builds_as_the_folder_does(tmp_path: Path) -> None:
    folder = course_folder(tmp_path)
    photo(2000, 1500).save(folder / "besar.png")
    lesson = next(folder.glob("01-*.md"))
    lesson.write_text(lesson.read_text().replace("\n+++\n", "\n+++\n![Kas](besar.png)\n\n", 1))
    with small_copy(folder) as copy:
        small = build_pack(copy, KEY).manifest
        assert copy.name == folder.name
    assert not copy.exists()
    whole = build_pack(folder, KEY).manifest
    assert [lesson.id for lesson in small.lessons] == [lesson.id for lesson in whole.lessons]
    assert small.packed < whole.packed


def test_pictures_are_turned_as_their_phone_says_and_lose_where_they_were_taken(tmp_path: Path) -> None:
    folder, to = course_folder(tmp_path), tmp_path / "kecil"
    about = Image.Exif()
    about[0x0112] = 6
    about[0x010E] = "Rumah Budi"
    photo(1600, 1200).save(folder / "a.jpg", exif=about, quality=95)
    shrink(folder, to)
    with Image.open(to / "a.jpg") as picture:
        assert picture.size == (1200, 1600)
        assert not picture.getexif()
    assert b"Rumah Budi" not in (to / "a.jpg").read_bytes()


def test_clear_pictures_stay_clear(tmp_path: Path) -> None:
    folder, to = course_folder(tmp_path), tmp_path / "kecil"
    picture = photo(1500, 1500, "RGBA")
    picture.putalpha(Image.linear_gradient("L").resize((1500, 1500)))
    picture.save(folder / "a.png")
    shrink(folder, to)
    with Image.open(to / "a.png") as made:
        assert made.convert("RGBA").getextrema()[3][0] < 20


def test_what_can_t_be_read_what_moves_and_what_an_activity_counts_on_is_left_alone(tmp_path: Path) -> None:
    folder, to = course_folder(tmp_path), tmp_path / "kecil"
    (folder / "rusak.jpg").write_bytes(b"x" * (PICTURE_MOST + 1))
    frames = [photo(1500, 500), photo(1500, 500).rotate(180)]
    frames[0].save(folder / "gerak.webp", save_all=True, append_images=frames[1:])
    (folder / "isi").mkdir()
    photo(2000, 1500).save(folder / "isi" / "latar.png")
    before = contents(folder)
    result = shrink(folder, to)
    assert contents(to) == before
    assert {file.name: file.after - file.before for file in result.files} == {
        "gerak.webp": 0,
        "rusak.jpg": 0,
    }


def test_links_stay_links_so_that_nothing_from_elsewhere_comes_in(tmp_path: Path) -> None:
    folder, to = course_folder(tmp_path), tmp_path / "kecil"
    photo(2000, 1500).save(tmp_path / "luar.png")
    (folder / "tautan.png").symlink_to(tmp_path / "luar.png")
    shrink(folder, to)
    assert (to / "tautan.png").is_symlink()


def test_no_folder_that_holds_something_is_written_to(tmp_path: Path) -> None:
    folder = course_folder(tmp_path)
    full = tmp_path / "penuh"
    full.mkdir()
    (full / "a").write_text("a")
    for to in (full, folder, folder / "dalam", full / "a"):
        before = contents(tmp_path)
        with pytest.raises(PackError):
            shrink(folder, to)
        assert contents(tmp_path) == before


@pytest.fixture
def without_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))


@pytest.mark.usefixtures("without_ffmpeg")
def test_what_is_missing_is_said_before_anything_is_copied(tmp_path: Path) -> None:
    folder, to = course_folder(tmp_path), tmp_path / "kecil"
    (folder / "a.mp4").write_bytes(b"x" * (MEDIA_LEAST + 1))
    refused = lontar_shrink(folder, "--to", to)
    assert refused.exit_code == 2
    assert "ffmpeg" in refused.output and "Traceback" not in refused.output
    assert not to.exists()


@pytest.mark.usefixtures("without_ffmpeg")
def test_what_can_be_done_without_it_is_done(tmp_path: Path) -> None:
    folder, to = course_folder(tmp_path), tmp_path / "kecil"
    (folder / "a.mp4").write_bytes(b"x" * (MEDIA_LEAST + 1))
    photo(2000, 1500).save(folder / "b.png")
    done = lontar_shrink(folder, "--to", to)
    assert done.exit_code == 0
    assert "b.png: " in done.output and "KB menjadi" in done.output
    assert "ffmpeg belum terpasang" in done.output
    assert (to / "a.mp4").read_bytes() == (folder / "a.mp4").read_bytes()


def test_a_folder_without_large_files_is_said_to_have_none(tmp_path: Path) -> None:
    folder, to = course_folder(tmp_path), tmp_path / "kecil"
    done = lontar_shrink(folder, "--to", to)
    assert done.exit_code == 0 and "Tidak ada film" in done.output
    assert contents(to) == contents(folder)


def made_with_ffmpeg(path: Path, *how: str) -> None:
    film = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=10:d=3", "-f", "lavfi", "-i", "sine=440:d=3")
    subprocess.run(
        ["ffmpeg", "-v", "error", *film, *how, "-metadata", "title=Rahasia", str(path)], check=True
    )


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg isn't installed")
def test_films_and_sound_become_smaller_and_still_play(tmp_path: Path) -> None:
    folder, to = course_folder(tmp_path), tmp_path / "kecil"
    (folder / "isi").mkdir()
    made_with_ffmpeg(folder / "isi" / "a.mp4", "-c:v", "libx264", "-crf", "5", "-preset", "ultrafast")
    made_with_ffmpeg(folder / "b.wav", "-ac", "2", "-vn")
    (folder / "rusak.mp4").write_bytes(os.urandom(MEDIA_LEAST + 1))
    before = contents(folder)
    done = lontar_shrink(folder, "--to", to)
    assert done.exit_code == 0, done.output
    after = contents(to)
    assert contents(folder) == before
    assert after.keys() == before.keys()
    for name in ("isi/a.mp4", "b.wav"):
        assert len(after[name]) < len(before[name])
    assert after["rusak.mp4"] == before["rusak.mp4"] and "rusak.mp4: " in done.output
    assert b"Rahasia" in before["isi/a.mp4"] and b"Rahasia" not in after["isi/a.mp4"]
    asked = ("-select_streams", "v", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0")
    told = subprocess.run(
        ["ffprobe", "-v", "error", *asked, str(to / "isi" / "a.mp4")], capture_output=True, text=True
    )
    assert told.stdout.strip() == "h264,854,480"

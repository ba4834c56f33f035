"""`lontar pack …`: what it says, and with which number it ends."""

from __future__ import annotations

import re
import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from workshop import HEAD, PUBLISHER, ROOT, STRANGER, course_folder, keyset_of

from content_packs.cli import pack
from sync.keys import SigningKey, fingerprint
from sync.keyset import sign_keyset

MANUAL = Path(__file__).parents[2] / "docs" / "packs.md"


def lontar_pack(*arguments: str | Path) -> Result:
    return CliRunner().invoke(pack, [str(argument) for argument in arguments])


def key_file(folder: Path, key: SigningKey = PUBLISHER) -> Path:
    path = folder / "penerbit.key"
    path.write_text(key.seed.hex() + "\n")
    return path


def pack_file(folder: Path) -> Path:
    path = folder / "kas-desa-1.lontar"
    assert lontar_pack("build", course_folder(folder), "--key", key_file(folder), "-o", path).exit_code == 0
    return path


def keyset_file(folder: Path, *publishers: bytes) -> Path:
    path = folder / "keyset.cose"
    path.write_bytes(sign_keyset(ROOT, keyset_of(*publishers)))
    return path


def test_keygen_writes_a_key_that_only_its_owner_reads_and_says_its_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "penerbit.key"
    made = lontar_pack("keygen", path)
    assert made.exit_code == 0
    key = SigningKey.from_seed(bytes.fromhex(path.read_text().strip()))
    assert made.output == f"Sidik kunci penerbit: {fingerprint(key.public)}\n"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keygen_never_overwrites_a_key(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    before = path.read_bytes()
    refused = lontar_pack("keygen", path)
    assert refused.exit_code == 2
    assert f"Berkas {path} sudah ada; kunci tidak ditimpa." in refused.output
    assert path.read_bytes() == before


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        lontar_pack("keygen", tmp_path / name)
    assert (tmp_path / "a").read_text() != (tmp_path / "b").read_text()


def test_build_says_what_the_pack_holds(tmp_path: Path) -> None:
    target = tmp_path / "kas.lontar"
    made = lontar_pack("build", course_folder(tmp_path), "--key", key_file(tmp_path), "-o", target)
    assert made.exit_code == 0
    assert made.output == (f"{target}: Kas Desa versi 1, 2 materi, 2 soal, {target.stat().st_size} bita.\n")


def test_build_names_the_file_by_course_and_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert lontar_pack("build", course_folder(tmp_path), "--key", key_file(tmp_path)).exit_code == 0
    assert (tmp_path / "kas-desa-1.lontar").is_file()


def test_building_again_gives_the_same_file(tmp_path: Path) -> None:
    first = pack_file(tmp_path).read_bytes()
    again = tmp_path / "again.lontar"
    lontar_pack("build", tmp_path / "course", "--key", key_file(tmp_path), "-o", again)
    assert again.read_bytes() == first


def test_build_without_a_key_ends_with_two(tmp_path: Path) -> None:
    folder = course_folder(tmp_path)
    for arguments in ([], ["--key", tmp_path / "missing.key"]):
        refused = lontar_pack("build", folder, *arguments)
        assert refused.exit_code == 2
        assert "--key" in refused.output


@pytest.mark.parametrize("content", [b"", b"not a key", b"ab" * 31, b"ab" * 33, b"\xff" * 64])
def test_build_with_a_file_that_is_no_key_ends_with_two(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "penerbit.key"
    path.write_bytes(content)
    refused = lontar_pack("build", course_folder(tmp_path), "--key", path)
    assert refused.exit_code == 2
    assert f"Berkas {path} bukan kunci penerbit." in refused.output


def test_build_of_a_folder_that_must_be_mended_ends_with_two_and_writes_nothing(tmp_path: Path) -> None:
    folder = course_folder(tmp_path, {"01-buku-kas.md": "tanpa kepala"})
    target = tmp_path / "kas.lontar"
    refused = lontar_pack("build", folder, "--key", key_file(tmp_path), "-o", target)
    assert refused.exit_code == 2
    assert refused.output == "01-buku-kas.md: harus dimulai dengan kepala di antara dua baris +++\n"
    assert not target.exists()


def test_verify_tells_the_course_and_its_publisher(tmp_path: Path) -> None:
    done = lontar_pack("verify", pack_file(tmp_path), "--trust", fingerprint(PUBLISHER.public))
    assert done.exit_code == 0
    for told in (
        "Kas Desa (kas-desa)",
        "Penguji",
        fingerprint(PUBLISHER.public),
        "Paket utuh dan bersegel sah.",
    ):
        assert told in done.output


def test_verify_believes_the_keyset_of_the_centre(tmp_path: Path) -> None:
    file = pack_file(tmp_path)
    assert lontar_pack("verify", file, "--keyset", keyset_file(tmp_path, PUBLISHER.public)).exit_code == 0
    assert lontar_pack("verify", file, "--keyset", keyset_file(tmp_path, STRANGER.public)).exit_code == 9


def test_verify_of_an_unknown_publisher_ends_with_nine_and_says_what_to_compare(tmp_path: Path) -> None:
    file = pack_file(tmp_path)
    for arguments in ([], ["--trust", fingerprint(STRANGER.public)]):
        refused = lontar_pack("verify", file, *arguments)
        assert refused.exit_code == 9
        assert refused.output == (
            f"Penerbit paket ini ({fingerprint(PUBLISHER.public)}) tidak dikenal perangkat ini. "
            "Cocokkan sidiknya dengan petugas, lalu pakai --trust.\n"
        )


def test_verify_of_what_is_no_pack_ends_with_two(tmp_path: Path) -> None:
    path = tmp_path / "surat.pdf"
    path.write_bytes(b"%PDF-1.7")
    refused = lontar_pack("verify", path)
    assert refused.exit_code == 2
    assert refused.output == "surat.pdf bukan paket pelatihan, atau terpotong.\n"


def test_verify_of_a_damaged_pack_ends_with_two(tmp_path: Path) -> None:
    path = pack_file(tmp_path)
    data = bytearray(path.read_bytes())
    data[data.index(b"pieces/") + 80] ^= 1
    path.write_bytes(data)
    refused = lontar_pack("verify", path, "--trust", fingerprint(PUBLISHER.public))
    assert refused.exit_code == 2
    assert refused.output == "Paket ini rusak atau telah diubah. Salin lagi dari sumbernya.\n"


def test_verify_with_a_damaged_keyset_ends_with_a_sentence(tmp_path: Path) -> None:
    keyset = tmp_path / "keyset.cose"
    keyset.write_bytes(b"keyset")
    refused = lontar_pack("verify", pack_file(tmp_path), "--keyset", keyset)
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output
    assert isinstance(refused.exception, SystemExit)


def test_the_example_course_in_the_manual_builds(tmp_path: Path) -> None:
    toml, lesson = re.findall(r"```(?:toml|markdown)\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.S)[
        :2
    ]
    picture = {"alur.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>"}
    none = {"01-buku-kas.md": None, "02-tes-akhir.md": None}
    folder = course_folder(tmp_path, {**none, **picture, "course.toml": toml, "01-kas.md": lesson})
    made = lontar_pack("build", folder, "--key", key_file(tmp_path), "-o", tmp_path / "a.lontar")
    assert made.exit_code == 0, made.output
    assert "1 materi, 1 soal" in made.output
    assert HEAD.splitlines()[0] == lesson.splitlines()[0]

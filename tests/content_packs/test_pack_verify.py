"""Opening what somebody brought: damage, bombs, tricks with names and strangers are refused in plain words."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from workshop import (
    PUBLISHER,
    STRANGER,
    anyone,
    built,
    keyset_of,
    manifest_of,
    member_names,
    members_of,
    opens,
    pack_bytes,
    zip_of,
)

from content_packs import limits, verify
from content_packs.errors import PackError, UntrustedPackError
from content_packs.manifest import sign_manifest
from content_packs.outline import File
from content_packs.pack_names import MANIFEST_NAME, PIECES
from content_packs.packing import STORED, ZSTD
from content_packs.verify import open_pack, trusted_by, unpacked
from sync.errors import LontarError
from sync.keys import fingerprint, sha256

ONE, TWO = b"first piece " * 9, b"second piece"
DAMAGED = "Salin lagi dari sumbernya"


def refusal(folder: Path, data: bytes) -> str:
    """The sentence with which a file of those bytes is refused."""
    with pytest.raises(PackError) as refused:
        opens(folder, data)
    return str(refused.value)


def test_a_pack_as_built_opens_and_every_piece_is_checked(tmp_path: Path) -> None:
    made = built(tmp_path)
    file = tmp_path / "kas-desa-1.lontar"
    file.write_bytes(pack_bytes(made))
    with open_pack(file, anyone) as pack:
        assert (pack.manifest, pack.envelope) == (made.manifest, made.envelope)
        assert pack.manifest_hash == sha256(made.envelope)
        assert pack.digests() == sorted(made.pieces)
        contents = {digest: unpacked(piece, digest) for digest, piece in made.pieces.items()}
        assert pack.check_all() == sum(map(len, contents.values())) == made.manifest.size
        for digest, piece in contents.items():
            packed = pack.packed_piece(digest)
            assert (unpacked(packed, digest), pack.packed_size(digest)) == (piece, len(packed))


def test_a_pack_of_other_software_opens_if_it_keeps_the_rules(tmp_path: Path) -> None:
    assert opens(tmp_path, zip_of(members_of((ONE, TWO)))) == manifest_of((ONE, TWO))


# -- Who signed it


def test_publishers_of_the_keyset_are_trusted_and_nobody_else(tmp_path: Path) -> None:
    data = pack_bytes(built(tmp_path))
    opens(tmp_path, data, trusted_by(keyset_of(STRANGER.public, PUBLISHER.public), None))
    for known in (keyset_of(STRANGER.public), keyset_of(), None):
        with pytest.raises(UntrustedPackError) as refused:
            opens(tmp_path, data, trusted_by(known, None))
        assert fingerprint(PUBLISHER.public) in str(refused.value)
        assert "--trust" in str(refused.value)
        assert refused.value.exit_code == 9


def test_a_person_may_vouch_for_a_publisher_by_the_fingerprint(tmp_path: Path) -> None:
    data = pack_bytes(built(tmp_path))
    opens(tmp_path, data, trusted_by(None, f" {fingerprint(PUBLISHER.public).lower()} "))
    for wrong in (fingerprint(STRANGER.public), fingerprint(PUBLISHER.public)[:-1], ""):
        with pytest.raises(UntrustedPackError):
            opens(tmp_path, data, trusted_by(None, wrong))


def test_nothing_else_is_read_of_a_stranger_s_pack(tmp_path: Path) -> None:
    envelope = sign_manifest(STRANGER, manifest_of((ONE,), publisher_key=STRANGER.public))
    with pytest.raises(UntrustedPackError):
        opens(tmp_path, zip_of({MANIFEST_NAME: envelope}), trusted_by(keyset_of(PUBLISHER.public), None))


# -- Damage


SMALL = zip_of(members_of((ONE,)))


@settings(max_examples=150, deadline=None)
@given(bit=st.integers(0, len(SMALL) * 8 - 1))
def test_a_flipped_bit_is_refused_or_lies_where_nothing_is_believed(
    tmp_path_factory: pytest.TempPathFactory, bit: int
) -> None:
    """A zip has dates and attributes that nobody reads. Whatever opens is the very pack that was signed."""
    file = tmp_path_factory.getbasetemp() / "flipped.lontar"
    altered = bytearray(SMALL)
    altered[bit // 8] ^= 1 << bit % 8
    file.write_bytes(altered)
    try:
        with open_pack(file, anyone) as pack:
            assert pack.envelope == members_of((ONE,))[MANIFEST_NAME]
            assert pack.packed_piece(sha256(ONE)) == STORED + ONE
    except LontarError:
        return


def test_a_changed_byte_of_manifest_or_piece_is_refused(tmp_path: Path) -> None:
    members = members_of((ONE,))
    for content in members.values():
        start = SMALL.index(content)
        for at in range(start, start + len(content), 3):
            refusal(tmp_path, SMALL[:at] + bytes([SMALL[at] ^ 0x20]) + SMALL[at + 1 :])


def test_a_changed_byte_is_refused_even_if_the_zip_was_made_to_fit(tmp_path: Path) -> None:
    for name, content in members_of((ONE,)).items():
        for at in range(0, len(content), 3):
            altered = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            with pytest.raises(LontarError):
                opens(tmp_path, zip_of({**members_of((ONE,)), name: altered}))


def test_a_pack_cut_anywhere_is_refused(tmp_path: Path) -> None:
    for length in range(0, len(SMALL), 3):
        assert "bukan paket pelatihan, atau terpotong" in refusal(tmp_path, SMALL[:length])


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x05\x06" + bytes(18), b"%PDF-1.7" + bytes(5000)])
def test_what_is_no_pack_is_told_so_by_its_name(tmp_path: Path, data: bytes) -> None:
    sentence = refusal(tmp_path, data)
    assert sentence.startswith("some.lontar bukan paket") or DAMAGED in sentence


def test_a_missing_piece_is_refused(tmp_path: Path) -> None:
    for name in member_names((ONE, TWO)):
        members = members_of((ONE, TWO))
        del members[name]
        assert DAMAGED in refusal(tmp_path, zip_of(members))


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    members = members_of((ONE,))
    del members[MANIFEST_NAME]
    assert DAMAGED in refusal(tmp_path, zip_of(members))


@pytest.mark.parametrize(
    "name",
    [
        "pieces/" + "0" * 64,
        "README.txt",
        "pieces/",
        "../../.profile",
        "pieces/../manifest.cose",
        "/etc/passwd",
        "C:\\Windows\\x",
        "MANIFEST.COSE",
    ],
)
def test_a_member_that_the_manifest_does_not_name_is_refused(tmp_path: Path, name: str) -> None:
    assert DAMAGED in refusal(tmp_path, zip_of({**members_of((ONE,)), name: b"\0x"}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some.lontar"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_stands_twice_is_refused(tmp_path: Path) -> None:
    members = list(members_of((ONE,)).items())
    for twice in members:
        assert DAMAGED in refusal(tmp_path, zip_of([*members, twice]))


def test_a_piece_under_another_piece_s_name_is_refused(tmp_path: Path) -> None:
    one, two = member_names((ONE, TWO))
    members = members_of((ONE, TWO))
    members[one], members[two] = members[two], members[one]
    assert DAMAGED in refusal(tmp_path, zip_of(members))


def test_a_file_whose_size_differs_from_its_pieces_is_refused(tmp_path: Path) -> None:
    for size in (len(ONE) - 1, len(ONE) + 1, 0):
        file = File("a.cbor", "application/cbor", size, (sha256(ONE),))
        assert DAMAGED in refusal(tmp_path, zip_of(members_of((ONE,), files=(file,))))


def test_a_piece_of_an_unknown_kind_is_refused() -> None:
    for data in (b"", b"\2" + ONE, b"\xff", b"\1", b"\1" + ONE):
        with pytest.raises(PackError, match=DAMAGED):
            unpacked(data, sha256(ONE))


# -- Bombs


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_compresses_is_refused(tmp_path: Path, method: int) -> None:
    assert DAMAGED in refusal(tmp_path, zip_of(members_of((ONE,)), method))


def test_an_encrypted_member_is_refused_in_plain_words(tmp_path: Path) -> None:
    data = bytearray(SMALL)
    data[SMALL.index(b"PK\x01\x02") + 8] |= 1
    assert DAMAGED in refusal(tmp_path, bytes(data))


def test_a_zip_of_a_later_version_is_refused_in_plain_words(tmp_path: Path) -> None:
    data = bytearray(SMALL)
    data[SMALL.index(b"PK\x01\x02") + 6] = 99
    assert "bukan paket pelatihan" in refusal(tmp_path, bytes(data))


def test_a_member_that_says_two_sizes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """`zipfile` would read the larger one into memory and hand out the smaller one."""
    data = bytearray(SMALL)
    at = SMALL.index(b"PK\x01\x02") + 20
    (size,) = struct.unpack_from("<L", data, at)
    struct.pack_into("<L", data, at, size + 1)
    assert DAMAGED in refusal(tmp_path, bytes(data))


def test_a_manifest_larger_than_a_mebibyte_is_refused(tmp_path: Path) -> None:
    assert DAMAGED in refusal(tmp_path, zip_of({MANIFEST_NAME: bytes(limits.MANIFEST + 1)}))


def test_a_piece_larger_than_four_mebibytes_is_refused(tmp_path: Path) -> None:
    piece = bytes(limits.PIECE + 1)
    assert DAMAGED in refusal(tmp_path, zip_of(members_of((piece,))))
    with pytest.raises(PackError, match=DAMAGED):
        unpacked(STORED + piece, sha256(piece))
    assert unpacked(STORED + piece[1:], sha256(piece[1:])) == piece[1:]


def test_more_members_than_a_pack_may_have_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = tuple(bytes([at]) for at in range(9))
    data = zip_of(members_of(pieces, files=tuple(_file(at, piece) for at, piece in enumerate(pieces))))
    monkeypatch.setattr(limits, "FILES", 10)
    opens(tmp_path, data)
    monkeypatch.setattr(limits, "FILES", 9)
    assert DAMAGED in refusal(tmp_path, data)


def _file(at: int, piece: bytes) -> File:
    name = "a.cbor" if at == 0 else f"{at}.png"
    return File(name, "image/png", len(piece), (sha256(piece),))


def test_twenty_thousand_and_one_members_are_refused_before_the_manifest_is_read(tmp_path: Path) -> None:
    names = [f"{at:x}" for at in range(limits.FILES + 1)]
    assert DAMAGED in refusal(tmp_path, central_directory_of(names))


def central_directory_of(names: list[str]) -> bytes:
    """A zip that is all table of contents."""
    entries = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0)
        + name.encode()
        for name in names
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(names), len(names), len(entries), 0, 0)
    return entries + end


def test_a_pack_larger_in_sum_than_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = members_of((ONE,))
    monkeypatch.setattr(limits, "PACK", sum(map(len, members.values())))
    opens(tmp_path, zip_of(members))
    monkeypatch.setattr(limits, "PACK", sum(map(len, members.values())) - 1)
    assert DAMAGED in refusal(tmp_path, zip_of(members))


def frame(content: bytes, level: int = 19, window_log: int | None = None, size: bool = True) -> bytes:
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, write_content_size=size, **({"window_log": window_log} if window_log else {})
    )
    engine = zstandard.ZstdCompressor(compression_params=parameters)
    if window_log is None:
        return engine.compress(content)
    made = io.BytesIO()
    with engine.stream_writer(made, closefd=False) as writer:  # no size: the window is kept in the header
        writer.write(content)
    return made.getvalue()


def declared(size: int, body: bytes) -> bytes:
    """A zstd frame with one segment that says it holds `size` bytes (RFC 8878, 3.1.1)."""
    return b"\x28\xb5\x2f\xfd" + b"\xa0" + struct.pack("<L", size) + body


RLE_OF_128_KIB = struct.pack("<L", (128 * 1024) << 3 | 1 << 1 | 1)[:3] + b"\0"


@pytest.mark.parametrize(
    "body",
    [
        declared(limits.PIECE + 1, RLE_OF_128_KIB),
        declared((1 << 32) - 1, RLE_OF_128_KIB),
        declared(limits.EXPANSION * 100 + 64 * 1024 + 2000, RLE_OF_128_KIB),
        declared(64 * 1024, RLE_OF_128_KIB),
        declared(0, RLE_OF_128_KIB),
        frame(ONE, size=False),
        frame(ONE, window_log=27),
        frame(ONE) + b"\0",
        frame(ONE) + frame(ONE),
        frame(ONE)[:-1],
        frame(ONE)[:3],
    ],
    ids=["5 MiB", "4 GiB", "ratio", "holds more", "says nothing", "unsized", "window", "after", "twice", "cut", "no head"],
)  # fmt: skip
def test_a_compressed_piece_that_says_too_much_or_too_little_is_refused(body: bytes) -> None:
    with pytest.raises(PackError, match=DAMAGED):
        unpacked(ZSTD + body, sha256(ONE))


def test_a_bomb_is_refused_before_a_byte_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = frame(bytes(limits.PIECE))
    assert len(bomb) < 500
    monkeypatch.setattr(zstandard, "ZstdDecompressor", None)
    with pytest.raises(PackError, match=DAMAGED):
        unpacked(ZSTD + bomb, sha256(bytes(limits.PIECE)))


def test_one_piece_named_a_thousand_times_is_unpacked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = File("a.cbor", "application/cbor", len(ONE) * 1000, (sha256(ONE),) * 1000)
    count = 0

    def counting(data: bytes, digest: bytes) -> bytes:
        nonlocal count
        count += 1
        return unpacked(data, digest)

    monkeypatch.setattr(verify, "unpacked", counting)
    opens(tmp_path, zip_of(members_of((ONE,), files=(named,))))
    assert count == 1


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_at_all_unpack_to_something_else(data: bytes) -> None:
    for tried in (data, ZSTD + data, ZSTD + frame(ONE)[: len(data)] + data):
        with pytest.raises(PackError):
            unpacked(tried, sha256(TWO))


def test_pieces_lie_under_the_hash_of_what_they_unpack_to() -> None:
    assert member_names((ONE,)) == [PIECES + sha256(ONE).hex()]

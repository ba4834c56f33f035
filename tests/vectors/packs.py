"""The vectors of docs/packs.md: a manifest from fixed values, the same spoilt, and pieces.

Of compressed pieces only reading is frozen; zstd may choose other bytes.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from content_packs.manifest import Manifest, sign_manifest
from content_packs.outline import File, Lesson, Module
from content_packs.packing import STORED, ZSTD
from sync import cbor, cose
from sync.keys import SigningKey, key_id, sha256

PUBLISHER: Final = SigningKey.from_seed(bytes(range(128, 160)))
STRANGER: Final = SigningKey.from_seed(bytes(range(160, 192)))

LESSON: Final = cbor.encode([1, "<p>Catat setiap hari.</p>\n", []])
TEST: Final = cbor.encode([1, "", [["kapan", "Kapan?", ["Hari ini", "Lusa"], 0, "Pada hari yang sama."]]])
PICTURE: Final = b"\x89PNG and so on"

MANIFEST: Final = Manifest(
    course_id="kas-desa",
    version=3,
    title="Kas Desa",
    language="id",
    level="dasar",
    summary="Mencatat uang desa, langkah demi langkah.",
    hours_jp=2,
    passing_grade=70,
    attempts=3,
    publisher="Penerbit Contoh",
    publisher_key=PUBLISHER.public,
    lessons=(
        Lesson(1, "mencatat", "Mencatat kas", "lesson", 15, ("Contoh Pasal 1",), "2026-03-01", (), "mencatat.cbor"),
        Lesson(2, "tes-akhir", "Tes akhir", "posttest", 10, (), "", ("kapan",), "tes-akhir.cbor"),
    ),
    files=(
        File("mencatat.cbor", "application/cbor", len(LESSON), (sha256(LESSON),)),
        File("tes-akhir.cbor", "application/cbor", len(TEST), (sha256(TEST),)),
        File("kas.png", "image/png", len(PICTURE), (sha256(PICTURE[:6]), sha256(PICTURE[6:]))),
    ),
)  # fmt: skip

EVERY_KIND: Final = cbor.encode(
    [
        1,
        '<p>Lihat <img src="media:kas.png" alt="Kas">.</p>',
        [
            ["satu", "Kapan?", ["Hari ini", "Lusa"], 0, ""],
            ["banyak", "Buku apa?", ["Kas", "Tamu", "Bank"], [0, 2], "", 1],
            [
                "jodoh",
                "Pasangkan.",
                ["RKP", "RPJM"],
                [1, 0],
                "",
                2,
                ["Delapan tahun", "Satu tahun", "Seabad"],
            ],
            ["urut", "Urutkan.", ["Rancang", "Bahas"], [], "", 3],
            ["isian", "Singkatannya?", [], [], "", 4, [], ["APB Desa", "APBDes"]],
            ["angka", "Berapa persen?", [], [], "", 5, [], ["12,5", "0,5"]],
        ],
    ]
)
PAGE: Final = b"<!doctype html><title>Kuis</title>"

LATER: Final = Manifest(
    course_id="kas-desa",
    version=4,
    title="Kas Desa",
    language="id",
    level="",
    summary="",
    hours_jp=0,
    passing_grade=0,
    attempts=1,
    publisher="",
    publisher_key=PUBLISHER.public,
    lessons=(
        Lesson(1, "catat", "Mencatat kas", "lesson", 0, (), "", ("satu", "banyak", "jodoh", "urut", "isian", "angka"),
               "catat.cbor", ("mencatat", "mencatat-kas"), 2),
        Lesson(2, "kuis", "Kuis", "lesson", 0, (), "", (), "kuis.cbor", (), 0, "scorm", "isi", "kuis/a b.html?soal=1"),
    ),
    files=(
        File("catat.cbor", "application/cbor", len(EVERY_KIND), (sha256(EVERY_KIND),), 321),
        File("kuis.cbor", "application/cbor", len(LESSON), (sha256(LESSON),)),
        File("kas.png", "image/png", 0, ()),
        File("isi/kuis/a b.html", "text/html", len(PAGE), (sha256(PAGE),), len(PAGE) + 1),
    ),
    modules=(Module("dasar", "Dasar", 1), Module("lanjut", "Lanjut", 1)),
)  # fmt: skip
"""All that was added since the first packs: lineage, players, sizes as they are carried, modules."""


def manifest_vectors() -> dict[str, Any]:
    envelope = sign_manifest(PUBLISHER, MANIFEST)
    opened = cose.open_envelope(envelope, len(envelope))
    return {
        "seed": PUBLISHER.seed,
        "public": PUBLISHER.public,
        "aad": cose.MANIFEST,
        "course key": MANIFEST.course_key,
        "values": asdict(MANIFEST),
        "payload": opened.payload,
        "protected": opened.protected,
        "signature": opened.signature,
        "bytes": envelope,
        "hash": sha256(envelope),
        "refused": refused(opened.payload),
        "later": {"values": asdict(LATER), "bytes": sign_manifest(PUBLISHER, LATER)},
        "lesson file of every kind": {"bytes": EVERY_KIND, "values": cbor.decode(EVERY_KIND)},
        "lesson file": {"bytes": TEST, "values": cbor.decode(TEST)},
        "pieces": pieces(),
    }


def refused(payload: bytes) -> list[dict[str, Any]]:
    envelope = sign_manifest(PUBLISHER, MANIFEST)
    named = key_id(PUBLISHER.public)

    def spoilt(*place: int, value: object) -> bytes:
        raw = inner = cbor.decode(payload)
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = value
        return cose.seal(PUBLISHER, cbor.encode(raw), cose.MANIFEST, named)

    cases = {
        "a changed byte": envelope[:-1] + bytes([envelope[-1] ^ 1]),
        "cut": envelope[:-1],
        "signed for another purpose": cose.seal(PUBLISHER, payload, cose.SEGMENT, named),
        "signed by another key": cose.seal(STRANGER, payload, cose.MANIFEST, named),
        "another key id": cose.seal(PUBLISHER, payload, cose.MANIFEST, key_id(STRANGER.public)),
        "no key id": cose.seal(PUBLISHER, payload, cose.MANIFEST),
        "a later format": spoilt(0, value=2),
        "a boolean as version": spoilt(1, 1, value=True),
        "an id with capitals": spoilt(1, 0, value="Kas-Desa"),
        "no lessons": spoilt(2, value=[]),
        "a question twice": spoilt(2, 1, 6, value=["kapan", "kapan"]),
        "a lesson without its file": spoilt(2, 0, 7, value="lain.cbor"),
        "two lessons with one id": spoilt(2, 1, 0, value="mencatat"),
        "a path that leaves the pack": spoilt(3, 2, 0, value="../kas.png"),
        "two files with one path": spoilt(3, 2, 0, value="mencatat.cbor"),
        "a piece's hash of 31 bytes": spoilt(3, 2, 3, value=[bytes(31)]),
        **{
            why: cose.seal(PUBLISHER, later(*place, value=value), cose.MANIFEST, named)
            for why, *place, value in LATER_REFUSED
        },
    }
    return [{"why": why, "bytes": data} for why, data in cases.items()]


LATER_REFUSED: Final = (
    ("an id of earlier that another lesson has", 2, 1, 8, ["catat"]),
    ("an activity without a player", 2, 1, 10, ""),
    ("an entry that the pack hasn't", 2, 1, 12, "lain.html"),
    ("an activity's file that climbs out", 3, 3, 0, "isi/../kas.html"),
    ("an activity's file with a backslash", 3, 3, 0, "isi\\kuis.html"),
    ("modules that don't cover all lessons", 4, 1, 2, 2),
    ("revised in a version below zero", 2, 0, 9, -1),
)


def later(*place: int, value: object) -> bytes:
    """The payload of the later manifest with one value changed."""
    raw = inner = cbor.decode(cose.open_envelope(sign_manifest(PUBLISHER, LATER), 1 << 20).payload)
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return cbor.encode(raw)


def pieces() -> dict[str, Any]:
    content = b"a" * 1000
    frame = bytes.fromhex("28b52ffd60e80245000008610100e42b2004")
    return {
        "accepted": [
            {"packed": STORED + PICTURE, "content": PICTURE, "hash": sha256(PICTURE)},
            {"packed": STORED, "content": b"", "hash": sha256(b"")},
            {"packed": ZSTD + frame, "content": content, "hash": sha256(content)},
        ],
        "refused": [
            {"why": "another content", "packed": STORED + b"b", "hash": sha256(b"a")},
            {"why": "an unknown first byte", "packed": b"\2" + PICTURE, "hash": sha256(PICTURE)},
            {"why": "nothing", "packed": b"", "hash": sha256(b"")},
            {"why": "a cut frame", "packed": ZSTD + frame[:-1], "hash": sha256(content)},
            {"why": "something after the frame", "packed": ZSTD + frame + b"\0", "hash": sha256(content)},
        ],
    }

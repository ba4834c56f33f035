"""Manifests: what was signed is read again, and every kind of damage is refused."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workshop import PUBLISHER, STRANGER, lesson_of, manifest_of, raw_manifest, signed

from content_packs import limits
from content_packs.errors import PackError
from content_packs.manifest import Manifest, open_manifest, sign_manifest
from content_packs.outline import ROLES, File, Lesson, Module, is_path
from sync import cbor, cose
from sync.errors import LontarError, SignatureError, SyncError, UnknownVersionError
from sync.keys import key_id

SLUGS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
FILES = st.builds(
    File,
    st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True),
    st.sampled_from(["application/cbor", "image/png"]),
    st.integers(0, limits.PIECE),
    st.lists(st.binary(min_size=32, max_size=32), max_size=3).map(tuple),
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    files = draw(st.lists(FILES, min_size=1, max_size=5, unique_by=lambda file: file.path))
    lessons = [
        Lesson(
            number,
            id_,
            draw(TEXTS),
            draw(st.sampled_from(ROLES)),
            draw(st.integers(0, 10_000)),
            tuple(draw(st.lists(TEXTS, max_size=2))),
            draw(TEXTS),
            tuple(draw(st.lists(SLUGS, max_size=4, unique=True))),
            draw(st.sampled_from(files)).path,
        )
        for number, id_ in enumerate(draw(st.lists(SLUGS, min_size=1, max_size=4, unique=True)), start=1)
    ]
    return Manifest(
        draw(SLUGS),
        draw(st.integers(1, (1 << 31) - 1)),
        *draw(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS)),
        draw(st.integers(0, 1000)),
        draw(st.integers(0, 100)),
        draw(st.integers(1, 100)),
        draw(TEXTS),
        PUBLISHER.public,
        tuple(lessons),
        tuple(files),
    )


@settings(max_examples=40, deadline=None)
@given(manifests())
def test_what_was_signed_is_read_again_and_always_has_the_same_bytes(manifest: Manifest) -> None:
    envelope = sign_manifest(PUBLISHER, manifest)
    assert open_manifest(envelope) == manifest
    assert sign_manifest(PUBLISHER, open_manifest(envelope)) == envelope


def test_the_list_that_the_wrong_ones_differ_from_is_right() -> None:
    assert open_manifest(signed(raw_manifest())) == manifest_of((b"x",))


def test_no_byte_can_be_altered_missing_or_added() -> None:
    data = sign_manifest(PUBLISHER, manifest_of((b"x",)))
    rng = random.Random(1)
    altered = (
        data[:at] + bytes([data[at] ^ rng.randrange(1, 256)]) + data[at + 1 :] for at in range(len(data))
    )
    cut = (data[:at] for at in range(len(data)))
    for wrong in (*altered, *cut, data + b"\0"):
        with pytest.raises(LontarError):
            open_manifest(wrong)


def test_a_manifest_must_be_signed_by_the_publisher_that_it_names() -> None:
    payload = cbor.encode(raw_manifest())
    forged = cose.seal(STRANGER, payload, cose.MANIFEST, key_id(PUBLISHER.public))
    with pytest.raises(SignatureError):
        open_manifest(forged)
    for named in (key_id(STRANGER.public), b""):
        with pytest.raises(PackError):
            open_manifest(cose.seal(PUBLISHER, payload, cose.MANIFEST, named))


@pytest.mark.parametrize("purpose", [cose.SEGMENT, cose.KEYSET, cose.REQUEST, b""])
def test_what_was_signed_for_another_purpose_is_no_manifest(purpose: bytes) -> None:
    with pytest.raises(SignatureError):
        open_manifest(signed(raw_manifest(), aad=purpose))


def test_a_format_of_the_future_is_told_apart_from_damage() -> None:
    with pytest.raises(UnknownVersionError, match="Perbarui Lontar"):
        open_manifest(signed([2, "anything"]))


def test_fields_of_the_future_are_read_over() -> None:
    raw = raw_manifest()
    raw += [[], "new"]
    raw[1].append(True)
    raw[2][0] += [[], 0, "", "", "", ["new"]]
    raw[3][0] += [0, None]
    assert open_manifest(signed(raw)) == manifest_of((b"x",))


def spoilt(*place: int, value: object) -> Callable[[list[Any]], None]:
    def spoil(raw: list[Any]) -> None:
        for step in place[:-1]:
            raw = raw[step]
        raw[place[-1]] = value

    return spoil


LONG = "a" * (limits.TEXT + 1)
WRONG = {
    "no list": spoilt(1, value=5),
    "a course cut short": spoilt(1, value=["kas"]),
    "an id with capitals": spoilt(1, 0, value="Kas"),
    "an empty id": spoilt(1, 0, value=""),
    "version 0": spoilt(1, 1, value=0),
    "a version of 32 bits": spoilt(1, 1, value=1 << 31),
    "a version as text": spoilt(1, 1, value="1"),
    "a boolean as version": spoilt(1, 1, value=True),
    "a title as bytes": spoilt(1, 2, value=b"Kas"),
    "an endless title": spoilt(1, 2, value=LONG),
    "negative hours": spoilt(1, 6, value=-1),
    "a grade above 100": spoilt(1, 7, value=101),
    "no attempts": spoilt(1, 8, value=0),
    "a key of 31 bytes": spoilt(1, 10, value=bytes(31)),
    "no lessons": spoilt(2, value=[]),
    "a lesson that is none": spoilt(2, 0, value="kas"),
    "a lesson's id": spoilt(2, 0, 0, value="../kas"),
    "an endless lesson title": spoilt(2, 0, 1, value=LONG),
    "an unknown role": spoilt(2, 0, 2, value=3),
    "a boolean as role": spoilt(2, 0, 2, value=False),
    "negative minutes": spoilt(2, 0, 3, value=-1),
    "an endless legal basis": spoilt(2, 0, 4, value=[LONG]),
    "a legal basis of numbers": spoilt(2, 0, 4, value=[1]),
    "a question without an id": spoilt(2, 0, 6, value=[1]),
    "a question that is a list": spoilt(2, 0, 6, value=[["q"]]),
    "a question twice": spoilt(2, 0, 6, value=["q", "q"]),
    "too many questions": spoilt(2, 0, 6, value=[f"q{at}" for at in range(201)]),
    "a lesson without its file": spoilt(2, 0, 7, value="b.cbor"),
    "no files": spoilt(3, value=[]),
    "a file that is none": spoilt(3, 0, value=["a.cbor"]),
    "a path that leaves the pack": spoilt(3, 0, 0, value="../a.cbor"),
    "a path with folders": spoilt(3, 0, 0, value="a/b.cbor"),
    "an absolute path": spoilt(3, 0, 0, value="/a.cbor"),
    "a hidden path": spoilt(3, 0, 0, value=".a.cbor"),
    "a path with a line end": spoilt(3, 0, 0, value="a.cbor\n"),
    "an endless media type": spoilt(3, 0, 1, value="a" * 101),
    "a negative size": spoilt(3, 0, 2, value=-1),
    "a boolean as size": spoilt(3, 0, 2, value=True),
    "a size above 4 GiB": spoilt(3, 0, 2, value=limits.PACK + 1),
    "a lesson file above 4 MiB": spoilt(3, 0, 2, value=limits.PIECE + 1),
    "a piece's hash of 31 bytes": spoilt(3, 0, 3, value=[bytes(31)]),
    "a piece's hash as text": spoilt(3, 0, 3, value=["0" * 32]),
}  # fmt: skip


@pytest.mark.parametrize("why", WRONG)
def test_a_list_that_no_pack_has_is_refused_although_it_is_signed(why: str) -> None:
    raw = raw_manifest()
    WRONG[why](raw)
    with pytest.raises(PackError, match="rusak atau tidak sah"):
        open_manifest(signed(raw))


def test_what_stands_twice_is_refused() -> None:
    manifest = manifest_of((b"x",))
    for twice in (
        dataclasses.replace(manifest, files=manifest.files * 2),
        dataclasses.replace(manifest, lessons=(lesson_of("a"), lesson_of("a", 2))),
    ):
        with pytest.raises(PackError):
            open_manifest(sign_manifest(PUBLISHER, twice))


def test_files_that_are_larger_together_than_a_pack_are_refused() -> None:
    halves = [File(f"{at}.png", "image/png", limits.PACK // 2, ()) for at in range(3)]
    with pytest.raises(PackError):
        open_manifest(sign_manifest(PUBLISHER, manifest_of(files=(*manifest_of().files, *halves))))


def test_more_lessons_than_a_course_may_have_are_refused() -> None:
    lessons = tuple(lesson_of(f"m{at}", at) for at in range(1, limits.LESSONS + 2))
    open_manifest(sign_manifest(PUBLISHER, manifest_of((b"x",), lessons=lessons[:-1])))
    with pytest.raises(PackError):
        open_manifest(sign_manifest(PUBLISHER, manifest_of((b"x",), lessons=lessons)))


def test_a_manifest_larger_than_a_mebibyte_is_refused() -> None:
    with pytest.raises(SyncError):
        open_manifest(signed([1, bytes(limits.MANIFEST)]))


@pytest.mark.parametrize("payload", [None, 5, [], {}, [1], [1, [], [], []], "manifest", [True]])
def test_another_thing_that_is_signed_is_no_manifest(payload: object) -> None:
    with pytest.raises(PackError):
        open_manifest(signed(payload))


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | st.binary(max_size=3),
        lambda inner: st.lists(inner, max_size=12),
        max_leaves=30,
    )
)
def test_whatever_is_signed_is_refused_in_plain_words(course: object) -> None:
    raw = raw_manifest()
    for payload in (
        [1, course, raw[2], raw[3]],
        [1, raw[1], [course], raw[3]],
        [1, raw[1], raw[2], [course]],
    ):
        with pytest.raises(LontarError):
            open_manifest(signed(payload))


PLAYED = dataclasses.replace(
    lesson_of("a"),
    was=("lama", "lebih-lama"),
    revised_in=3,
    player="scorm",
    activity="paket",
    entry="i.html?x=1",
)


def played(**changes: Any) -> Manifest:
    files = (*manifest_of((b"x",)).files, File("paket/i.html", "text/html", 3, (bytes(32),), packed=4))
    lesson = dataclasses.replace(PLAYED, **changes)
    return manifest_of(files=files, lessons=(lesson,), modules=(Module("satu", "Bagian satu", 1),))


def test_where_lessons_come_from_what_plays_them_and_how_they_are_grouped_is_read_back() -> None:
    manifest = played()
    assert open_manifest(sign_manifest(PUBLISHER, manifest)) == manifest
    assert manifest.players == {"scorm"}
    assert manifest.packed == 4 + 1, "as stored where the manifest says, else as they are"


@pytest.mark.parametrize(
    "changes",
    [
        {"was": ("a",)},
        {"was": ("X",)},
        {"revised_in": -1},
        {"activity": "lain"},
        {"entry": "tidak-ada.html"},
        {"player": ""},
        {"entry": "i.html#" + "x" * 1000},
    ],
    ids=repr,
)
def test_a_lesson_that_no_course_has_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(PackError):
        open_manifest(sign_manifest(PUBLISHER, played(**changes)))


@pytest.mark.parametrize(
    "modules",
    [
        [["satu", "Satu", 2]],
        [["satu", "Satu", 0]],
        [["Satu", "Satu", 1]],
        [[]],
        [1],
        5,
        [["a", "b", 1]] * 2,
    ],
)
def test_modules_that_are_not_those_of_the_lessons_are_refused(modules: Any) -> None:
    raw = raw_manifest()
    raw.append(modules)
    with pytest.raises(PackError):
        open_manifest(signed(raw))


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("paket/Sub Folder/Índeks (1).html", True),
        ("paket/../x", False),
        ("paket//x", False),
        ("paket/", False),
        ("/paket/x", False),
        ("Paket/x", False),
        ("paket/a\\b", False),
        ("paket/a\nb", False),
        ("paket/" + "x" * 300, False),
    ],
)
def test_files_of_an_activity_lie_in_its_folder(path: str, is_one: bool) -> None:
    assert is_path(path) is is_one

"""The frozen vectors of docs/packs.md: the bytes of a manifest, a lesson file and pieces, then and today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from content_packs.lesson_file import read_lesson_file
from content_packs.manifest import open_manifest, sign_manifest
from content_packs.verify import unpacked
from sync import cbor, cose
from sync.errors import LontarError
from sync.keys import SigningKey, key_id, sha256

FILE = Path(__file__).parents[1] / "vectors" / "manifests.json"


def revived(value: Any) -> Any:
    """The opposite of `vectors.make.plain`."""
    if isinstance(value, dict):
        if set(value) == {"hex"}:
            return bytes.fromhex(value["hex"])
        return {key: revived(item) for key, item in value.items()}
    return [revived(item) for item in value] if isinstance(value, list) else value


FROZEN = revived(json.loads(FILE.read_text(encoding="utf-8")))


def as_lists(value: Any) -> Any:
    return json.loads(json.dumps(value, default=lambda item: item.hex()))


MANIFESTS = (FROZEN, FROZEN["later"])


@pytest.mark.parametrize("frozen", MANIFESTS, ids=["first", "later"])
def test_the_frozen_manifests_are_read(frozen: dict[str, Any]) -> None:
    manifest, values = open_manifest(frozen["bytes"]), frozen["values"]
    for name, value in values.items():
        if name not in ("lessons", "files", "modules"):
            assert getattr(manifest, name) == value, name
    for name in ("lessons", "files", "modules"):
        for made, kept in zip(getattr(manifest, name), values[name], strict=True):
            for field, value in kept.items():
                assert as_lists(getattr(made, field)) == as_lists(value), field


def test_a_manifest_is_known_by_its_hash_and_its_course_by_its_key() -> None:
    assert open_manifest(FROZEN["bytes"]).course_key == FROZEN["course key"]
    assert sha256(FROZEN["bytes"]) == FROZEN["hash"]


@pytest.mark.parametrize("frozen", MANIFESTS, ids=["first", "later"])
def test_the_frozen_manifests_are_written_again_byte_for_byte(frozen: dict[str, Any]) -> None:
    key = SigningKey.from_seed(FROZEN["seed"])
    assert sign_manifest(key, open_manifest(frozen["bytes"])) == frozen["bytes"]


def test_the_parts_of_the_envelope_are_those_that_stand_beside_it() -> None:
    envelope = cose.open_envelope(FROZEN["bytes"], len(FROZEN["bytes"]))
    assert (envelope.payload, envelope.protected) == (FROZEN["payload"], FROZEN["protected"])
    assert (envelope.signature, envelope.key_id) == (FROZEN["signature"], key_id(FROZEN["public"]))
    assert envelope.verify(FROZEN["public"], FROZEN["aad"]) == FROZEN["payload"]


@pytest.mark.parametrize("case", FROZEN["refused"], ids=lambda case: case["why"])
def test_a_spoilt_manifest_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(LontarError):
        open_manifest(case["bytes"])


@pytest.mark.parametrize("name", ["lesson file", "lesson file of every kind"])
def test_the_frozen_lesson_files_are_read(name: str) -> None:
    frozen = FROZEN[name]
    assert cbor.decode(frozen["bytes"]) == frozen["values"]
    content = read_lesson_file(frozen["bytes"])
    assert [question.id for question in content.questions] == [asked[0] for asked in frozen["values"][2]]
    for question, asked in zip(content.questions, frozen["values"][2], strict=True):
        kind = asked[5] if len(asked) > 5 else 0
        right = [asked[3]] if kind == 0 else asked[3]
        assert (question.kind, list(question.right)) == (kind, right)


def test_the_frozen_pieces_are_read() -> None:
    for case in FROZEN["pieces"]["accepted"]:
        assert unpacked(case["packed"], case["hash"]) == case["content"]


@pytest.mark.parametrize("case", FROZEN["pieces"]["refused"], ids=lambda case: case["why"])
def test_a_spoilt_piece_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(LontarError):
        unpacked(case["packed"], case["hash"])

"""The frozen vectors of docs/packs.md: the bytes of a manifest, a lesson file and pieces, then and today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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


def test_the_frozen_manifest_is_read() -> None:
    manifest = open_manifest(FROZEN["bytes"])
    for name, value in FROZEN["values"].items():
        if name not in ("lessons", "files", "modules"):
            assert getattr(manifest, name) == value, name
    for made, kept in (*zip(manifest.lessons, FROZEN["values"]["lessons"], strict=True),
                       *zip(manifest.files, FROZEN["values"]["files"], strict=True)):  # fmt: skip
        for name, value in kept.items():
            assert as_lists(getattr(made, name)) == as_lists(value), name
    assert manifest.course_key == FROZEN["course key"]
    assert sha256(FROZEN["bytes"]) == FROZEN["hash"]


def test_the_frozen_manifest_is_written_again_byte_for_byte() -> None:
    key = SigningKey.from_seed(FROZEN["seed"])
    assert sign_manifest(key, open_manifest(FROZEN["bytes"])) == FROZEN["bytes"]


def test_the_parts_of_the_envelope_are_those_that_stand_beside_it() -> None:
    envelope = cose.open_envelope(FROZEN["bytes"], len(FROZEN["bytes"]))
    assert (envelope.payload, envelope.protected) == (FROZEN["payload"], FROZEN["protected"])
    assert (envelope.signature, envelope.key_id) == (FROZEN["signature"], key_id(FROZEN["public"]))
    assert envelope.verify(FROZEN["public"], FROZEN["aad"]) == FROZEN["payload"]


@pytest.mark.parametrize("case", FROZEN["refused"], ids=lambda case: case["why"])
def test_a_spoilt_manifest_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(LontarError):
        open_manifest(case["bytes"])


def test_the_frozen_lesson_file_is_read() -> None:
    assert cbor.decode(FROZEN["lesson file"]["bytes"]) == FROZEN["lesson file"]["values"]


def test_the_frozen_pieces_are_read() -> None:
    for case in FROZEN["pieces"]["accepted"]:
        assert unpacked(case["packed"], case["hash"]) == case["content"]


@pytest.mark.parametrize("case", FROZEN["pieces"]["refused"], ids=lambda case: case["why"])
def test_a_spoilt_piece_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(LontarError):
        unpacked(case["packed"], case["hash"])

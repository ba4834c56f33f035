"""The frozen vectors of docs/protocol.md: bytes in, values out, and back, today as on the day they were made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from vectors.make import vectors

from sync import cbor, columns, cose, exchange, registration
from sync.entries import Entry
from sync.errors import SyncError
from sync.exchange import ItemSplitter
from sync.keys import SigningKey, fingerprint, key_id
from sync.keyset import open_keyset
from sync.logclock import Anchor, Received, WallNote, interval
from sync.profile import commitment_of, learner_id, open_profile
from sync.registration import read_code
from sync.sealing import sealing_public
from sync.segment import open_segment

FOLDER = Path(__file__).parent.parent / "vectors"


def revived(value: Any) -> Any:
    """The opposite of `vectors.make.plain`: bytes are bytes again, lists are tuples nowhere."""
    if isinstance(value, dict):
        if set(value) == {"hex"}:
            return bytes.fromhex(value["hex"])
        return {key: revived(item) for key, item in value.items()}
    return [revived(item) for item in value] if isinstance(value, list) else value


def frozen(name: str) -> Any:
    return revived(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def as_entry(row: list[Any]) -> Entry:
    return Entry(row[0], row[1], row[2], tuple(row[3]))


@pytest.mark.parametrize("name", sorted(vectors()))
def test_today_s_code_writes_what_was_frozen(name: str) -> None:
    made = vectors()[name]
    kept = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    if name == "columns":  # zstd may choose other bytes; reading them is tested below
        made, kept = (
            [{**case, "body": case["body"] if case["written"] else None} for case in cases]
            for cases in (made, kept)
        )
    assert made == kept


@pytest.mark.parametrize("case", frozen("cbor")["accepted"], ids=lambda case: str(case["value"])[:30])
def test_cbor_is_read(case: dict[str, Any]) -> None:
    expected = case["value"]
    if isinstance(expected, dict):
        expected = {int(key): value for key, value in expected.items()}
    assert cbor.decode(case["bytes"]) == expected


@pytest.mark.parametrize("case", frozen("cbor")["refused"], ids=lambda case: case["why"])
def test_cbor_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SyncError):
        cbor.decode(case["bytes"])


def test_keys_and_signatures() -> None:
    *signing, sealing = frozen("keys")
    for case in signing:
        key = SigningKey.from_seed(case["seed"])
        assert (key.public, key_id(key.public)) == (case["public"], case["id"])
        assert fingerprint(key.public) == case["fingerprint"]
        assert key.sign(b"lontar") == case["signature of the text lontar"]
    assert sealing_public(sealing["sealing seed"]) == sealing["sealing public"]


def test_envelopes_are_read() -> None:
    for case in frozen("envelopes")["accepted"]:
        envelope = cose.open_envelope(case["bytes"], 1000)
        assert envelope.verify(case["public"], case["aad"]) == case["payload"]


@pytest.mark.parametrize("case", frozen("envelopes")["refused"], ids=lambda case: case["why"])
def test_envelopes_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SyncError):
        cose.open_envelope(case["bytes"], 1000).verify(case["public"], case["aad"])


@pytest.mark.parametrize("case", frozen("columns"), ids=lambda case: case["name"])
def test_columns_are_read(case: dict[str, Any]) -> None:
    entries = [as_entry(row) for row in case["entries"]]
    assert columns.decode(case["codec"], case["body"], case["first_seq"], len(entries)).entries() == entries


def test_segments_are_read_and_their_people_identified() -> None:
    first, second, *people = frozen("segments")
    for case in (first, second):
        segment = open_segment(case["bytes"])
        segment.verify(case["public"])
        for name in ("log", "index", "previous", "first_seq", "count", "codec", "id"):
            assert getattr(segment, name) == case[name], name
        assert segment.read().entries() == [as_entry(row) for row in case["entries"]]
    for case in people:
        profile = open_profile(case["profile"])
        assert (profile.salt, profile.name, profile.position) == (
            case["salt"],
            case["name"],
            case["position"],
        )
        assert commitment_of(case["profile"]) == case["commitment"]
        assert learner_id(first["log"], case["commitment"]) == case["learner"]


def test_a_round_trip_is_read() -> None:
    case = frozen("exchange")
    for name in ("asks", "pushes"):
        header = case[f"request that {name}"]
        receipt = exchange.open_receipt(
            case[f"receipt for the one that {name}"], [case["hub public"]], header
        )
        assert receipt.request_hash == exchange.request_hash(header)
    items = list(ItemSplitter().feed(case["body that pushes"]))
    assert items[0] == case["request that pushes"]
    assert [len(items), items[1]] == [6, frozen("segments")[0]["bytes"]]
    assert exchange.read_refusal(case["refusal"]) == ("try-later", "Coba lagi nanti.")


def test_a_registration_is_read() -> None:
    case = frozen("registration")
    code = read_code(case["code as typed"])
    assert (str(code), code.key()) == (case["code"], case["key"])
    asked = registration.open_registration(case["registration"])
    assert registration.device_proof(code.key(), asked.public_key, asked.nonce) == case["device proof"]
    answer = registration.open_answer(case["answer"], case["registration"], code)
    assert open_keyset(answer.keyset).version == 1


@pytest.mark.parametrize("case", frozen("logclock"), ids=lambda case: case["name"])
def test_log_time_becomes_an_interval(case: dict[str, Any]) -> None:
    known = interval(
        case["t"],
        [Anchor(*pair) for pair in case["anchors"]],
        [Received(*pair) for pair in case["received"]],
        [WallNote(*pair) for pair in case["walls"]],
    )
    expected = case["interval"]
    assert (known and [known.earliest, known.estimate, known.latest, known.clock_was_wrong]) == expected

"""The frozen vectors of docs/protocol.md: bytes in, values out, and back, today as on the day they were made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from vectors.make import vectors

from sync import bundle, cbor, columns, cose, courier, exchange, registration
from sync.certificate import Standing, read_certificate
from sync.decisions import HUB_KINDS, read_decision, scopes_of
from sync.entries import Entry, field_types
from sync.errors import SyncError
from sync.exchange import Down, ItemSplitter, Wants
from sync.items import ItemKind, read_items
from sync.keys import SigningKey, fingerprint, key_id
from sync.keyset import open_keyset
from sync.log import Head
from sync.logclock import Anchor, Received, WallNote, interval
from sync.profile import commitment_of, learner_id, open_profile
from sync.registration import read_code
from sync.sealing import CLASSICAL, SUITES, OpeningKey, sealing_public, seed_size
from sync.segment import open_segment
from sync.unlock import code

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
    first, second, later, *people = frozen("segments")
    for case in (first, second, later):
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


def test_what_a_device_holds_and_what_is_still_to_come_are_read() -> None:
    case = frozen("exchange")
    first, second = frozen("decisions")["segments"]
    held = Head(first["log"], 1, second["id"])
    summed = exchange.open_request(case["request with a digest"]).claimed
    assert summed.have == case["digest of what a device holds of hub logs"] == exchange.digest_of([held])
    assert summed.wants == Wants.NOTHING
    named = exchange.open_request(case["request that names what it holds and wants history"]).claimed
    assert named.have == (Head(held.log[:8], 1, held.id[:8]),)
    assert named.wants == Wants.HISTORY
    answers = {
        "request with a digest": (case["receipt that doesn't know the digest"], Down.NAME_YOURS),
        "request that names what it holds and wants history": (case["answer that isn't all"], Down.MORE),
    }
    for name, (answer, down) in answers.items():
        receipt, stream = exchange.split_answer(answer)
        assert exchange.open_receipt(receipt, [case["hub public"]], case[name]).down is down
        if down is Down.MORE:
            kinds = [item.kind for item in read_items(stream)]
            assert kinds == [ItemKind.HUB_SEGMENT, ItemKind.PROFILE, ItemKind.SEGMENT]


def test_heads_of_parts_are_read_and_sizes_padded() -> None:
    case = frozen("bundles")
    for head in case["heads"]:
        read = bundle.read_head(head["bytes"])
        assert read.encode() == head["bytes"]
        for name in ("suite", "recipient", "bundle", "index", "count", "length"):
            assert getattr(read, name) == head[name], name
        assert read.size == head["size of the part"]
    assert all(bundle.padded_size(size) == padded for size, padded in case["padding"])
    keys = case["keys"]
    for suite in SUITES:
        key = OpeningKey(suite, keys[f"centre opens with, suite {suite}"])
        assert key.public.public == keys[f"centre public, suite {suite}"]
        assert key.public.id == keys[f"centre sealing id, suite {suite}"]


@pytest.mark.parametrize(
    "case", list(frozen("bundles")["parts"].values()), ids=list(frozen("bundles")["parts"])
)
def test_sealed_parts_are_opened(case: dict[str, Any]) -> None:
    suite = next(suite for suite in SUITES if seed_size(suite) == len(case["opens with"]))
    part = bundle.open_part(case["bytes"], [OpeningKey(suite, case["opens with"])])
    recipient, id_, index, count, *fields = case["manifest after the version"]
    assert (part.head.recipient, part.head.bundle, part.head.index, part.head.count) == (
        recipient,
        id_,
        index,
        count,
    )
    assert bundle.part_id(case["bytes"]) == case["part id"]
    assert part.stream.rstrip(b"\0") == case["stream before the padding"]
    if len(fields) == 6:
        part.verify_device(case["signed by"])
        assert part.from_device() == exchange.read_request(fields)
    else:
        said = part.verify_hub([case["signed by"]])
        assert said.fields() == fields
    assert [item.kind for item in bundle.read_stream(part)] == [ItemKind.HUB_SEGMENT] * 2


def test_what_couriers_and_hubs_say_is_read() -> None:
    case = frozen("courier")
    hub, question, request = [case["hub public"]], case["question"], case["mail request"]
    assert courier.read_missing(question) == [id_[:8] for id_ in case["part ids"]]
    assert courier.open_missing(case["answer to the question"], hub, question) == case["lacking"]
    for name, answer in case["what became of it"].items():
        assert courier.open_taken(answer, hub, case["part"]).name == name
    asked = courier.open_mail_request(request).verify(case["courier public"])
    assert (len(asked.mail), len(asked.notes)) == (1, 1)
    answer = courier.open_mail_answer(case["mail answer"], hub, request)
    assert (answer.route[0].name, answer.more) == ("Lubuk Sungai", True)
    assert courier.read_mail_part(case["mail part"]).part == case["part"]


def test_what_a_hub_says_is_read() -> None:
    case = frozen("decisions")
    assert {kind["number"] for kind in case["kinds"]} == set(HUB_KINDS)
    by_number = {kind["number"]: kind for kind in case["kinds"]}
    for number, kind in HUB_KINDS.items():
        row = by_number[number]
        said = read_decision(Entry(0, number, 0, tuple(cbor.decode(row["fields as CBOR"]))))
        assert said == kind(*row["fields"])
        assert (kind.__name__, list(field_types(kind))) == (row["kind"], row["names"])
    for row in case["segments"]:
        sealed = open_segment(row["bytes"])
        sealed.verify_hub([case["hub public"]])
        assert (sealed.index, sealed.log, sealed.id) == (row["index"], row["log"], row["id"])
        assert sealed.read().entries() == [as_entry(entry) for entry in row["entries"]]
    for village, scopes in case["scopes"].items():
        assert list(scopes_of(village)) == scopes


def test_certificates_are_read_from_their_codes() -> None:
    case = frozen("certificates")
    expected = {
        "draft": Standing.REGISTERED,
        "draft of a device without registration": Standing.UNPROVEN,
        "final": Standing.CONFIRMED,
    }
    for name, code_ in case["codes"].items():
        read = read_certificate(code_, [case["hub public"]], lambda device, village: None)
        assert (read.standing, read.profile.name) == (expected[name], case["name"])
        assert read.claim.encode() == case["final claim" if name == "final" else "claim"]
    assert read_certificate(case["address"], [], lambda device, village: None).claim.number


@pytest.mark.parametrize(
    "case", frozen("unlock"), ids=lambda case: f"{case['suite of the centre']}-{case['challenge']}"
)
def test_both_sides_make_the_unlock_code(case: dict[str, Any]) -> None:
    centre = OpeningKey(case["suite of the centre"], case["centre seed"])
    laptop = OpeningKey(CLASSICAL, case["device sealing seed"])
    assert code(centre, laptop.public.public, case["device"], case["challenge"]) == case["code"]
    assert code(laptop, centre.public.public, case["device"], case["challenge"]) == case["code"]


def test_a_registration_is_read() -> None:
    case = frozen("registration")
    typed = read_code(case["code as typed"])
    assert (str(typed), typed.key()) == (case["code"], case["key"])
    asked = registration.open_registration(case["registration"])
    assert registration.device_proof(typed.key(), asked.public_key, asked.nonce) == case["device proof"]
    answer = registration.open_answer(case["answer"], case["registration"], typed)
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

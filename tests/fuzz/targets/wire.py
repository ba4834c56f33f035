"""What comes over the network and by stick: CBOR, envelopes, segments, requests, bundles, couriers' messages.

What is signed or sealed is signed and sealed here after the fuzzer changed it, so that it gets past the seal.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sync import (
    bundle,
    cbor,
    columns,
    cose,
    courier,
    decisions,
    entries,
    exchange,
    items,
    keyset,
    limits,
    neighbour,
    profile,
    registration,
    segment,
    signpost,
)
from sync.certificate import final_code, open_final, read_certificate
from sync.errors import SyncError
from sync.invitation import read_invitation
from sync.keys import SigningKey, key_id, sha256
from sync.registration import Code, read_code
from sync.sealing import CLASSICAL, OpeningKey
from sync.stick import Stick, whole_parts
from sync.unlock import read_challenge

from ..target import target
from .seeds import VECTORS, in_cbor, payloads, vectors

KEY = SigningKey.from_seed(bytes(range(32)))
HUB_KEYS = (KEY.public,)
CENTRE = OpeningKey(CLASSICAL, bytes(range(160, 192)))
QUESTION = courier.ask_missing([bytes([at]) * 8 for at in range(11)])


@target("cbor", lambda: vectors("cbor"), SyncError)
def read_cbor(data: bytes) -> None:
    value = cbor.decode(data)
    assert cbor.item_end(data, 0) == len(data), "two views of where an item ends"
    assert cbor.encode(value) == data, "two spellings of one value"


@target("cbor-begun", lambda: vectors("cbor"), SyncError)
def begin_cbor(data: bytes) -> None:
    """Items of which not all has come."""
    if cbor.item_end(data, 0) is None:
        assert cbor.item_needs(data, 0) > len(data), "an unfinished item that needs no more"


@target("envelope", lambda: vectors("envelopes") + vectors("segments"), SyncError)
def read_envelope(data: bytes) -> None:
    cose.open_envelope(data, limits.SEGMENT).verify_any(HUB_KEYS, cose.SEGMENT)


@target("segment", lambda: payloads("segments") + payloads("decisions"), SyncError)
def read_segment(data: bytes) -> None:
    opened = segment.open_segment(cose.seal(KEY, data, cose.SEGMENT))
    opened.verify(KEY.public)
    for entry in opened.read().entries():
        entries.check_fields(entry.kind, entry.fields)
        for read in (entries.read_kind, decisions.read_decision):
            try:
                read(entry)
            except SyncError:
                continue
    opened.opening()


def _columns() -> list[bytes]:
    made = json.loads((VECTORS / "columns.json").read_text(encoding="utf-8"))
    return [
        bytes([one["codec"], len(one["entries"]) % 256, len(one["entries"]) >> 8])
        + bytes.fromhex(one["body"]["hex"])
        for one in made
    ]


@target("columns", _columns, SyncError)
def read_columns(data: bytes) -> None:
    codec, count = (data[:1] or b"\1")[0], int.from_bytes(data[1:3], "little")
    if 1 <= count <= limits.ENTRIES_PER_SEGMENT:
        columns.decode(codec, data[3:], 5, count).entries()


@target("request", lambda: payloads("exchange"), SyncError)
def read_request(data: bytes) -> None:
    sealed = cose.seal(KEY, data, cose.REQUEST)
    opened = exchange.open_request(sealed)
    cbor.encode(opened.claimed.fields())
    opened.verify(KEY.public)


@target("receipt", lambda: payloads("exchange"), SyncError)
def read_receipt(data: bytes) -> None:
    sealed = cose.seal(KEY, data, cose.RECEIPT)
    match cbor.decode(data):
        case [int() as version, bytes(), *more]:
            # It quotes the request that was asked, whatever the fuzzer made of the quotation.
            fitting = cbor.encode([version, exchange.request_hash(b"asked"), *more])
            sealed = cose.seal(KEY, fitting, cose.RECEIPT)
    receipt = exchange.open_receipt(sealed, HUB_KEYS, b"asked")
    exchange.next_upload(receipt.max_upload, True, receipt.max_upload)


@target("answer", lambda: vectors("exchange"), SyncError)
def read_answer(data: bytes) -> None:
    exchange.read_refusal(data)
    _receipt, stream = exchange.split_answer(data)
    for item in items.read_items(stream):
        if item.kind is not items.ItemKind.PROFILE:
            item.segment()


@target("stream", lambda: vectors("exchange") + vectors("segments"), SyncError)
def split_stream(data: bytes) -> None:
    """In two halves it must give what it gives at once."""
    whole, halves = exchange.ItemSplitter(), exchange.ItemSplitter()
    once = list(whole.feed(data))
    twice = [*halves.feed(data[: len(data) // 2]), *halves.feed(data[len(data) // 2 :])]
    assert once == twice, "what a stream holds depends on how it arrives"


@target("items", lambda: vectors("exchange") + vectors("decisions"), SyncError)
def read_items(data: bytes) -> None:
    for item in items.read_items(data):
        if item.kind in (items.ItemKind.SEGMENT, items.ItemKind.HUB_SEGMENT):
            item.segment().read()


@target("registration", lambda: payloads("registration"), SyncError)
def read_registration(data: bytes) -> None:
    sealed = cose.seal(KEY, data, cose.REGISTRATION)
    registration.open_registration(sealed)


def _answers() -> list[bytes]:
    return in_cbor(["registered", "17.05.10.2007", 1_772_413_300_000], ["waiting", "", 0]) + payloads(
        "registration"
    )


@target("registration-answer", _answers, SyncError)
def read_registration_answer(data: bytes) -> None:
    """As it is; and what it says, quoting the request and proving that the code is known."""
    code = Code("7KQ2", "M4TX9RHB")
    match cbor.decode(data):
        case [state, village, hub_ms]:
            said = registration.RegistrationAnswer(
                state, village, hub_ms, keyset.sign_keyset(KEY, _pinned())
            )
            registration.open_answer(
                registration.sign_answer(KEY, b"asked", said, code.key()), b"asked", code
            )
        case _:
            registration.open_answer(cose.seal(KEY, data, cose.REGISTERED), b"asked", code)


@target("keyset", lambda: payloads("registration"), SyncError)
def read_keyset(data: bytes) -> None:
    read = keyset.read_keyset(data)
    again = keyset.open_keyset(keyset.sign_keyset(KEY, replace(read, root=KEY.public)))
    assert again.hub_keys == read.hub_keys


def _profiles() -> list[bytes]:
    return [
        profile.Profile(bytes(range(16)), "Siti Aminah", "Kaur Keuangan").encode(),
        *in_cbor([1, bytes(16), "é", ""]),
    ]


@target("profile", _profiles, SyncError)
def read_profile(data: bytes) -> None:
    profile.open_profile(data)


@target("decisions", lambda: vectors("decisions"), SyncError)
def read_decisions(data: bytes) -> None:
    """The first byte says of which kind the fields are."""
    match cbor.decode(data[1:]):
        case list() as fields:
            numbers = sorted(decisions.HUB_KINDS)
            entry = entries.Entry(0, numbers[data[0] % len(numbers)], 0, tuple(fields))
            entries.check_fields(entry.kind, entry.fields)
            decisions.read_decision(entry)


def _typed() -> list[bytes]:
    return [
        b"https://pusat.example.go.id 7KQ2-M4TX-9RHB",
        b"LONTAR:pusat.desa.id:8443/a kode 7kq2m4tx9rhb",
        b"7KQ2M4",
    ]


@target("typed", _typed, SyncError)
def read_typed(data: bytes) -> None:
    """Invitations, registration codes and unlock challenges, as people type them."""
    text = data.decode("utf-8", "replace")
    for read in (read_invitation, read_code, read_challenge):
        try:
            str(read(text))
        except SyncError:
            continue


def _codes() -> list[bytes]:
    made = json.loads((VECTORS / "certificates.json").read_text(encoding="utf-8"))
    return [*(code.encode() for code in made["codes"].values()), made["address"].encode()]


@target("certificate-code", _codes, SyncError)
def read_certificate_code(data: bytes) -> None:
    read_certificate(data.decode("utf-8", "replace"), HUB_KEYS, lambda _device, _village: None)


@target("certificate", lambda: [*payloads("certificates"), *_claims()], SyncError)
def read_certificate_claim(data: bytes) -> None:
    sealed = cose.seal(KEY, data, cose.CERTIFICATE)
    open_final(sealed, HUB_KEYS)
    read_certificate(final_code(sealed, _profiles()[0]), HUB_KEYS, lambda _device, _village: True)


def _claims() -> list[bytes]:
    return [data for data in vectors("certificates") if data[:1] and data[0] >> 5 == 4]


def _parts() -> list[bytes]:
    return [data for data in vectors("bundles") if data[:4] == b"LNTR"] + [
        data for data in vectors("bundles") if len(data) > 200
    ][:4]


@target("bundle-part", _parts, SyncError)
def read_part(data: bytes) -> None:
    """With the hash at its end mended."""
    for part in (data, data[:-32] + sha256(data[:-32])):
        try:
            bundle.read_head(part)
            bundle.check_part(part)
            bundle.open_part(part, [CENTRE])
        except SyncError:
            continue


def _insides() -> list[bytes]:
    signed = bundle.FromDevice(exchange.Request(key_id(KEY.public), 18_000, 1_772_413_218))
    hub = bundle.FromHub(key_id(KEY.public), 1_772_413_200_000, 2, ())
    stream = vectors("segments")[0]
    return [cbor.encode([bundle.VERSION, one.fields()]) + stream for one in (signed, hub)]


@target("bundle-inside", _insides, SyncError)
def read_inside(data: bytes) -> None:
    """The signed contents and the stream of a part, sealed to a key that opens it."""
    end = cbor.item_end(data, 0)
    if end is None:
        return
    said = cbor.decode(data[:end])
    if not isinstance(said, list) or len(said) != 2 or not isinstance(said[1], list):
        return
    id_ = bundle.new_bundle(CENTRE.public.id, lambda size: bytes(size))
    manifest = _Said(said[1])
    for part in bundle.seal_parts(CENTRE.public, KEY, manifest, [data[end:]] if data[end:] else [], id_):  # type: ignore[arg-type]
        opened = bundle.open_part(part, [CENTRE])
        for read in (
            opened.from_device,
            lambda of=opened: of.verify_hub(HUB_KEYS),
            lambda of=opened: bundle.read_stream(of),
        ):
            try:
                read()
            except SyncError:
                continue


class _Said:
    """Whatever the fuzzer wants a part to say."""

    def __init__(self, said: list[object]) -> None:
        self._said = said

    def fields(self) -> list[object]:
        return self._said


def _couriers() -> list[bytes]:
    return vectors("courier") + payloads("courier")


@target("courier-asks", _couriers, SyncError)
def read_courier(data: bytes) -> None:
    for read in (_missing, _mail_part, _mail_request):
        try:
            read(data)
        except SyncError:
            continue


def _missing(data: bytes) -> None:
    courier.read_missing(data)


def _mail_part(data: bytes) -> None:
    courier.read_mail_part(data)


def _mail_request(data: bytes) -> None:
    courier.open_mail_request(cose.seal(KEY, data, cose.COURIER)).verify(KEY.public)


@target("courier-answers", _couriers, SyncError)
def read_courier_answers(data: bytes) -> None:
    match cbor.decode(data, 1 << 20):
        case [int() as version, bytes(), *more]:
            said = cbor.encode([version, sha256(QUESTION)[:16], *more])
        case _:
            return
    sealed = cose.seal(KEY, said, cose.COURIER_ANSWER)
    readers: tuple[Callable[..., object], ...] = (
        courier.open_missing,
        courier.open_taken,
        courier.open_mail_answer,
    )
    for read in readers:
        try:
            read(sealed, HUB_KEYS, QUESTION)
        except SyncError:
            continue


@target("neighbour", lambda: [_greeting(), *payloads("exchange")], SyncError)
def read_greeting(data: bytes) -> None:
    neighbour.open_greeting(cose.seal(KEY, data, cose.NEIGHBOUR)).verify(KEY.public)


def _greeting() -> bytes:
    return cose.open_envelope(neighbour.sign_greeting(KEY, ()), 1 << 14).payload


def _pinned() -> keyset.Keyset:
    return keyset.Keyset(1, KEY.public, HUB_KEYS, CENTRE.public, ())


@target("signpost", lambda: in_cbor([1, "https://pusat.example.go.id"]), SyncError)
def read_signpost(data: bytes) -> None:
    signpost.open_address(cose.seal(KEY, data, cose.ADDRESS), _pinned())


@target("stick", _parts, SyncError)
def read_stick(data: bytes) -> None:
    """Files that lie on a stick under names that this software looks for."""
    with tempfile.TemporaryDirectory(prefix="fuzz") as made:
        folder = Path(made) / "LONTAR" / "OUT"
        folder.mkdir(parents=True)
        for at, size in enumerate((len(data), len(data) // 2, 40)):
            (folder / f"{at:08X}.LNB").write_bytes(data[:size])
        stick = Stick(Path(made))
        list(whole_parts(stick, "OUT"))
        stick.read_file("OUT", "00000000.LNB", 1 << 20)

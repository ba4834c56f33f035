"""Couriers and hubs: every answer is the hub's, to that question, and limits hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parcels import DEVICE, HUB

from sync import cbor, cose, courier, limits
from sync.courier import MailAnswer, MailPart, MailRequest, Note, Place, Taken
from sync.errors import MalformedError, SignatureError, SyncError, TooLargeError, UnknownVersionError
from sync.exchange import Receipt, Request, sign_receipt, sign_request
from sync.keys import SigningKey, key_id

COURIER = SigningKey.from_seed(b"courier".ljust(32, b"."))
HUBS = [DEVICE.public, HUB.public]
ids8 = st.binary(min_size=8, max_size=8)
notes = st.builds(
    Note,
    st.binary(min_size=16, max_size=16),
    st.integers(0, limits.PARTS_PER_BUNDLE - 1),
    st.integers(-(10**9), 10**11),
)
mail_requests = st.builds(
    MailRequest,
    st.just(key_id(COURIER.public)),
    st.integers(0, 2**40),
    st.lists(st.tuples(ids8, ids8), max_size=6).map(tuple),
    st.lists(notes, max_size=6).map(tuple),
    st.lists(ids8, max_size=6).map(tuple),
)
places = st.builds(Place, ids8, st.text("0123456789.", max_size=13), st.text(max_size=12))
mail_answers = st.builds(
    MailAnswer,
    st.integers(0, 2**42),
    st.binary(max_size=60),
    st.lists(places, max_size=5).map(tuple),
    st.booleans(),
    st.binary(max_size=16),
    st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 2**40)), max_size=3).map(tuple),
)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.booleans()), max_size=40))
def test_which_parts_are_lacking_comes_back_in_order(asked: list[tuple[bytes, bool]]) -> None:
    question = courier.ask_missing([id_ for id_, _ in asked])
    assert courier.read_missing(question) == [id_[:8] for id_, _ in asked]
    answer = courier.sign_missing(HUB, question, 5, [lacking for _, lacking in asked])
    assert courier.open_missing(answer, HUBS, question) == [lacking for _, lacking in asked]


def test_three_hundred_villages_are_asked_about_in_six_kilobytes() -> None:
    ids = [at.to_bytes(32, "little") for at in range(600)]
    question = courier.ask_missing(ids)
    answer = courier.sign_missing(HUB, question, 1_772_413_300_000, [True, False] * 300)
    assert len(question) + len(answer) <= 6 * 1024


def test_as_many_parts_as_a_courier_may_ask_about_and_no_more() -> None:
    most = [at.to_bytes(8, "big") for at in range(courier.PARTS_ASKED_MOST)]
    assert courier.read_missing(courier.ask_missing(most)) == most
    with pytest.raises(TooLargeError):
        courier.read_missing(courier.ask_missing([*most, bytes(8)]))
    with pytest.raises(MalformedError):
        courier.read_missing(cbor.encode([1, bytes(9)]))


@pytest.mark.parametrize("taken", Taken)
def test_what_became_of_a_part_is_the_hub_s_word_on_that_part(taken: Taken) -> None:
    answer = courier.sign_taken(HUB, b"a part", 5, taken)
    assert courier.open_taken(answer, HUBS, b"a part") is taken
    with pytest.raises(SignatureError):
        courier.open_taken(answer, HUBS, b"another part")
    with pytest.raises(SignatureError):
        courier.open_taken(answer, [DEVICE.public], b"a part")


def test_an_answer_of_one_sort_is_none_of_another() -> None:
    question = courier.ask_missing([bytes(8)])
    taken = courier.sign_taken(HUB, question, 5, Taken.HELD)
    missing = courier.sign_missing(HUB, question, 5, [False])
    mail = courier.sign_mail_answer(HUB, question, MailAnswer(5, b"", (), False, b""))
    with pytest.raises(SyncError):
        courier.open_missing(taken, HUBS, question)
    for other in (missing, mail):
        with pytest.raises(SyncError):
            courier.open_taken(other, HUBS, question)
    for other in (missing, taken):
        with pytest.raises(SyncError):
            courier.open_mail_answer(other, HUBS, question)


@settings(max_examples=50)
@given(mail_requests)
def test_a_courier_s_request_is_read_and_its_courier_s(request: MailRequest) -> None:
    signed = courier.sign_mail_request(COURIER, request)
    unverified = courier.open_mail_request(signed)
    assert unverified.claimed == request
    assert unverified.verify(COURIER.public) == request
    with pytest.raises(SignatureError):
        unverified.verify(DEVICE.public)


def test_nobody_asks_in_another_courier_s_name() -> None:
    forged = courier.sign_mail_request(DEVICE, MailRequest(key_id(COURIER.public), 5))
    with pytest.raises(SignatureError):
        courier.open_mail_request(forged).verify(COURIER.public)


@settings(max_examples=50)
@given(mail_answers)
def test_what_goes_back_is_the_hub_s_answer_to_that_request(said: MailAnswer) -> None:
    answer = courier.sign_mail_answer(HUB, b"question", said)
    assert courier.open_mail_answer(answer, HUBS, b"question") == said
    with pytest.raises(SignatureError):
        courier.open_mail_answer(answer, HUBS, b"questiom")
    with pytest.raises(SignatureError):
        courier.open_mail_answer(answer, [COURIER.public], b"question")


def test_receipts_requests_and_couriers_words_are_no_answers() -> None:
    """One key, several purposes: what was signed for one is worth nothing for another."""
    strangers = [
        sign_receipt(HUB, Receipt(courier._quote(b"part"), 5)),
        sign_request(HUB, Request(key_id(HUB.public), 0, 0)),
        courier.sign_mail_request(HUB, MailRequest(key_id(HUB.public), 5)),
        cose.seal(HUB, cbor.encode([1, courier._quote(b"part"), 5, 0]), cose.MAIL),
    ]
    for stranger in strangers:
        with pytest.raises(SyncError):
            courier.open_taken(stranger, HUBS, b"part")
    with pytest.raises(SyncError):
        courier.open_mail_request(courier.sign_taken(COURIER, b"", 5, Taken.NEW)).verify(COURIER.public)


@settings(max_examples=60)
@given(st.data())
def test_every_changed_byte_is_refused(data: st.DataObject) -> None:
    answer = courier.sign_mail_answer(
        HUB, b"question", MailAnswer(5, b"k", (Place(bytes(8), "17", "Asri"),), True, b"")
    )
    at = data.draw(st.integers(0, len(answer) - 1))
    changed = answer[:at] + bytes([answer[at] ^ (1 << data.draw(st.integers(0, 7)))]) + answer[at + 1 :]
    with pytest.raises(SyncError):
        courier.open_mail_answer(changed, HUBS, b"question")
    with pytest.raises(SyncError):
        courier.open_mail_answer(answer[:at], HUBS, b"question")


def test_later_versions_are_said_to_be_later() -> None:
    with pytest.raises(UnknownVersionError):
        courier.read_missing(cbor.encode([2, "nanti"]))
    with pytest.raises(UnknownVersionError):
        courier.open_mail_request(cose.seal(COURIER, cbor.encode([2]), cose.COURIER))
    with pytest.raises(UnknownVersionError):
        courier.open_taken(cose.seal(HUB, cbor.encode([2]), cose.COURIER_ANSWER), HUBS, b"")


def test_fields_of_tomorrow_are_passed_over() -> None:
    said = cbor.encode([1, courier._quote(b"part"), 5, 1, "nanti", [1]])
    assert courier.open_taken(cose.seal(HUB, said, cose.COURIER_ANSWER), HUBS, b"part") is Taken.HELD


@pytest.mark.parametrize(
    "note",
    [
        [bytes(15), 0, 5],
        [bytes(16), -1, 5],
        [bytes(16), limits.PARTS_PER_BUNDLE, 5],
        [bytes(16), 0, 1 << 60],
        [bytes(16), 0],
        "note",
    ],
    ids=str,
)
def test_a_note_that_can_t_be_is_refused(note: object) -> None:
    """No database could keep it."""
    said = cbor.encode([1, key_id(COURIER.public), 5, b"", [note]])
    with pytest.raises(MalformedError):
        courier.open_mail_request(cose.seal(COURIER, said, cose.COURIER))


def test_a_courier_with_a_thousand_villages_and_many_notes_is_understood_and_no_more() -> None:
    held = tuple((at.to_bytes(8, "big"), bytes(8)) for at in range(courier.VILLAGES_MOST))
    carried = tuple(Note(at.to_bytes(16, "big"), 0, 1_772_413_200) for at in range(courier.NOTES_MOST))
    most = MailRequest(key_id(COURIER.public), 5, held, carried)
    assert courier.open_mail_request(courier.sign_mail_request(COURIER, most)).claimed == most
    for more in (
        MailRequest(most.courier, 5, (*held, (bytes(8), bytes(8)))),
        MailRequest(most.courier, 5, (), (*carried, carried[0])),
    ):
        with pytest.raises(SyncError):
            courier.open_mail_request(courier.sign_mail_request(COURIER, more))


def test_a_route_of_a_thousand_villages_fits_into_an_answer() -> None:
    route = tuple(
        Place(at.to_bytes(8, "big"), "17.05.10.2007", "Desa Lubuk Sungai Panjang Hulu")
        for at in range(1000)
    )
    said = MailAnswer(1_772_413_300_000, bytes(400), route, True, bytes(16))
    answer = courier.sign_mail_answer(HUB, b"", said)
    assert courier.open_mail_answer(answer, HUBS, b"") == said


@given(ids8, ids8, st.binary(max_size=100))
def test_a_part_of_mail_travels_as_one_item(recipient: bytes, version: bytes, part: bytes) -> None:
    made = MailPart(recipient, version, part)
    assert courier.read_mail_part(made.encode()) == made


@pytest.mark.parametrize(
    "item",
    [[6, bytes(7), bytes(8), b""], [5, bytes(8), bytes(8), b""], [6, bytes(8), bytes(8)], [6], 6],
    ids=str,
)
def test_what_is_no_part_of_mail_is_refused(item: object) -> None:
    with pytest.raises(MalformedError):
        courier.read_mail_part(cbor.encode(item))

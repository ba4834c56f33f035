"""What a courier and a hub say to each other: which parts are lacking, what arrived, what goes back. Pure.

A courier carries what it can't read. Anybody may ask what a hub lacks and bring it; what goes back to the villages,
and their names, only a courier gets whose key an operator let in. Every answer is signed by the hub and quotes what
it answers, so a courier knows when a stick may be cleaned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sync import cbor, cose, limits
from sync.errors import N_, MalformedError, SignatureError, TooLargeError, UnknownVersionError
from sync.keys import SigningKey, key_id, sha256
from sync.sealing import KEY_ID

VERSION: Final = 1
MISSING_PATH: Final = "/v1/parts/missing"
PART_PATH: Final = "/v1/parts"
MAIL_PATH: Final = "/v1/mail"

PART_ID: Final = 8
"""So many bytes of a part's hash name it in a question."""
PARTS_ASKED_MOST: Final = 1500
NOTES_MOST: Final = 500
PACKS_MOST: Final = 200
VILLAGES_MOST: Final = 1000
MAIL_ITEM: Final = 6
"""The first element of a part of mail in an answer."""


class Taken(IntEnum):
    """What a hub did with a part; numbers are on the wire."""

    NEW = 0
    HELD = 1
    """It has it already."""
    FOREIGN = 2
    """It is sealed to another hub."""
    REFUSED = 3
    """It opens, and isn't what it says; carrying it further is of no use."""
    LATER = 4
    """Its device isn't known here yet; it is to be brought again."""


@dataclass(frozen=True, slots=True)
class Note:
    """A courier's word that it carries a part, and since when by its own clock."""

    bundle: bytes
    index: int
    seen_s: int


@dataclass(frozen=True, slots=True)
class MailRequest:
    """`mail` are the villages' mails that the courier has already, as (recipient, version).

    `parts` name those that it has of mail that isn't whole yet, so that a village's long mail comes bit by bit.
    """

    courier: bytes
    wall_s: int
    mail: tuple[tuple[bytes, bytes], ...] = ()
    notes: tuple[Note, ...] = ()
    parts: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A village on a courier's route: the id of its device's sealing key, its code and name."""

    recipient: bytes
    village: str
    name: str


@dataclass(frozen=True, slots=True)
class MailPart:
    """A sealed part for one village's device. `version` names the whole mail that it belongs to."""

    recipient: bytes
    version: bytes
    part: bytes

    def encode(self) -> bytes:
        return cbor.encode([MAIL_ITEM, self.recipient, self.version, self.part])


@dataclass(frozen=True, slots=True)
class MailAnswer:
    """`more`: not everything fitted in; ask again. The parts follow the answer, which names what follows by its hash."""

    hub_ms: int
    keyset: bytes
    route: tuple[Place, ...]
    more: bool
    following: bytes
    packs: tuple[tuple[bytes, int], ...] = ()
    """Course packs that villages on the route lack, by their manifest's hash, with their sizes."""


def ask_missing(ids: Sequence[bytes]) -> bytes:
    """The question which of these parts a hub lacks; ids are hashes, or their beginnings."""
    return cbor.encode([VERSION, b"".join(id_[:PART_ID] for id_ in ids)])


def read_missing(data: bytes) -> list[bytes]:
    """
    Raises:
        MalformedError, TooLargeError, UnknownVersionError: not such a question.
    """
    match cbor.decode(data):
        case [int() as version, *_] if version != VERSION:
            raise _newer()
        case [int(), bytes() as ids, *_] if len(ids) % PART_ID == 0:
            if len(ids) > PART_ID * PARTS_ASKED_MOST:
                raise TooLargeError(N_("Terlalu banyak paket data ditanyakan sekaligus."))
            return list(_part_ids(ids))
    raise _damaged()


def sign_missing(key: SigningKey, question: bytes, hub_ms: int, lacks: Sequence[bool]) -> bytes:
    """The hub's answer: a bit for each part, the first in the lowest bit, 1 where it is lacking."""
    bits = bytearray(-(-len(lacks) // 8))
    for at, lacking in enumerate(lacks):
        bits[at // 8] |= lacking << at % 8
    return _sign(key, [VERSION, _quote(question), hub_ms, bytes(bits)])


def open_missing(answer: bytes, hub_keys: Sequence[bytes], question: bytes) -> list[bool]:
    """Which of the parts asked about are lacking.

    Raises:
        SignatureError, MalformedError, UnknownVersionError: the hub didn't say that.
    """
    count = len(read_missing(question))
    match _answered(answer, hub_keys, question):
        case [int(), bytes() as bits, *_] if len(bits) == -(-count // 8):
            return [bool(bits[at // 8] >> at % 8 & 1) for at in range(count)]
    raise _damaged()


def sign_taken(key: SigningKey, part: bytes, hub_ms: int, taken: Taken) -> bytes:
    return _sign(key, [VERSION, _quote(part), hub_ms, int(taken)])


def open_taken(answer: bytes, hub_keys: Sequence[bytes], part: bytes) -> Taken:
    """What the hub did with `part`.

    Raises:
        SignatureError, MalformedError, UnknownVersionError: the hub didn't say that.
    """
    match _answered(answer, hub_keys, part):
        case [int(), int() as taken, *_] if taken in list(Taken):
            return Taken(taken)
    raise _damaged()


def sign_mail_request(key: SigningKey, request: MailRequest) -> bytes:
    said = [
        VERSION,
        request.courier,
        request.wall_s,
        b"".join(recipient + version for recipient, version in request.mail),
        [[note.bundle, note.index, note.seen_s] for note in request.notes],
        b"".join(id_[:PART_ID] for id_ in request.parts),
    ]
    return cose.seal(key, cbor.encode(said), cose.COURIER)


@dataclass(frozen=True, slots=True)
class UnverifiedMailRequest:
    """A request before its courier's key has been looked up."""

    claimed: MailRequest
    _envelope: cose.Envelope

    def verify(self, public_key: bytes) -> MailRequest:
        if key_id(public_key) != self.claimed.courier:
            raise SignatureError(N_("Permintaan ini bukan dari petugas yang disebutnya."))
        self._envelope.verify(public_key, cose.COURIER)
        return self.claimed


def open_mail_request(data: bytes) -> UnverifiedMailRequest:
    """
    Raises:
        MalformedError, TooLargeError, UnknownVersionError: not such a request.
    """
    envelope = cose.open_envelope(data, 4 * limits.CONTROL_ITEM)
    match cbor.decode(envelope.payload, 4 * limits.CONTROL_ITEM):
        case [int() as version, *_] if version != VERSION:
            raise _newer()
        case [
            int(),
            bytes() as courier,
            int() as wall_s,
            bytes() as mail,
            list() as notes,
            bytes() as parts,
            *_,
        ] if (
            abs(wall_s) < limits.WALL_SECONDS
            and len(parts) % PART_ID == 0
            and len(mail) % (2 * KEY_ID) == 0
            and len(notes) <= NOTES_MOST
        ):
            if len(mail) > 2 * KEY_ID * VILLAGES_MOST or len(parts) > PART_ID * PARTS_ASKED_MOST:
                raise _damaged()
            held = tuple(
                (mail[at : at + KEY_ID], mail[at + KEY_ID : at + 2 * KEY_ID])
                for at in range(0, len(mail), 2 * KEY_ID)
            )
            said = MailRequest(
                courier, wall_s, held, tuple(_note(note) for note in notes), _part_ids(parts)
            )
            return UnverifiedMailRequest(said, envelope)
    raise _damaged()


def sign_mail_answer(key: SigningKey, request: bytes, answer: MailAnswer) -> bytes:
    route = [[place.recipient, place.village, place.name] for place in answer.route]
    said = [answer.hub_ms, answer.keyset, route, int(answer.more), answer.following, list(answer.packs)]
    return _sign(key, [VERSION, _quote(request), *said])


def open_mail_answer(answer: bytes, hub_keys: Sequence[bytes], request: bytes) -> MailAnswer:
    """
    Raises:
        SignatureError, MalformedError, UnknownVersionError: the hub didn't say that.
    """
    match _answered(answer, hub_keys, request):
        case [
            int() as hub_ms,
            bytes() as keyset,
            list() as route,
            int() as more,
            bytes() as following,
            list() as packs,
            *_,
        ]:
            places = tuple(_place(place) for place in route)
            return MailAnswer(
                hub_ms, keyset, places, bool(more), following, tuple(_pack(pack) for pack in packs)
            )
    raise _damaged()


def hash_of_following(stream: bytes) -> bytes:
    """What an answer says of the parts that follow it."""
    return sha256(stream)[:16]


def read_mail_part(item: bytes) -> MailPart:
    """
    Raises:
        MalformedError, TooLargeError: not a part of mail.
    """
    match cbor.decode(item, limits.PART + 1024):
        case [6, bytes() as recipient, bytes() as version, bytes() as part, *_] if (
            len(recipient) == len(version) == KEY_ID
        ):
            return MailPart(recipient, version, part)
    raise _damaged()


def _sign(key: SigningKey, said: list[object]) -> bytes:
    return cose.seal(key, cbor.encode(said), cose.COURIER_ANSWER)


def _answered(answer: bytes, hub_keys: Sequence[bytes], question: bytes) -> list[object]:
    """What the hub answered to `question`, after the version and the quotation."""
    envelope = cose.open_envelope(answer, 16 * limits.CONTROL_ITEM)
    envelope.verify_any(hub_keys, cose.COURIER_ANSWER)
    match cbor.decode(envelope.payload, 16 * limits.CONTROL_ITEM):
        case [int() as version, *_] if version != VERSION:
            raise _newer()
        case [int(), bytes() as quoted, *fields]:
            if quoted != _quote(question):
                raise SignatureError(N_("Jawaban pusat ini untuk pertanyaan lain."))
            return fields
    raise _damaged()


def _part_ids(ids: bytes) -> tuple[bytes, ...]:
    return tuple(ids[at : at + PART_ID] for at in range(0, len(ids), PART_ID))


def _quote(question: bytes) -> bytes:
    return sha256(question)[:16]


def _note(item: object) -> Note:
    match item:
        case [bytes() as bundle, int() as index, int() as seen_s] if (
            len(bundle) == 16 and 0 <= index < limits.PARTS_PER_BUNDLE and abs(seen_s) < limits.WALL_SECONDS
        ):
            return Note(bundle, index, seen_s)
    raise _damaged()


def _place(item: object) -> Place:
    match item:
        case [bytes() as recipient, str() as village, str() as name, *_] if len(recipient) == KEY_ID:
            return Place(recipient, village, name)
    raise _damaged()


def _pack(item: object) -> tuple[bytes, int]:
    match item:
        case [bytes() as manifest_hash, int() as size, *_] if len(manifest_hash) == 32 and size >= 0:
            return manifest_hash, size
    raise _damaged()


def _damaged() -> MalformedError:
    return MalformedError(N_("Pesan antara petugas dan pusat ini rusak."))


def _newer() -> UnknownVersionError:
    return UnknownVersionError(N_("Pesan ini dari versi Lontar yang lebih baru. Perbarui Lontar."))

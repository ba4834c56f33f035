"""The frozen test vectors of docs/protocol.md, made by the real code from fixed seeds.

Bytes are {"hex": …}. Everything is reproducible except zstd's choice of bytes, which may change with its
version: of codec 2 only reading is frozen.
"""

from __future__ import annotations

from typing import Any

import cbor2

from sync import cbor, columns, cose, exchange, registration
from sync.batch import batch_of
from sync.entries import (
    AnchorNoted,
    BundleWritten,
    ClockObserved,
    CourseCompleted,
    Entry,
    Kind,
    LearnerAdded,
    LearnerContinued,
    LearnerLeft,
    LessonOpened,
    LessonProgressed,
    LogOpened,
    OperatorActed,
    PackInstalled,
    ProfileChanged,
    QuestionAnswered,
    QuizSubmitted,
)
from sync.exchange import Down, Receipt, Request, Verdict, Wants, digest_of
from sync.items import ItemKind, wrap
from sync.keys import SigningKey, fingerprint, key_id, sha256
from sync.keyset import Keyset, sign_keyset
from sync.log import NOTHING, Head, Held, Status, judge_head
from sync.logclock import Anchor, Received, WallNote, interval
from sync.profile import Profile, learner_id
from sync.progress.fold import finished, fold
from sync.registration import Code, Registration, RegistrationAnswer
from sync.sealing import CLASSICAL, SealingKey, sealing_public
from sync.segment import Segment, seal

from .packs import manifest_vectors
from .road import (
    bundle_vectors,
    certificate_vectors,
    courier_vectors,
    decision_vectors,
    hub_segments,
    unlock_vectors,
)

Json = Any

DEVICE = SigningKey.from_seed(bytes(range(32)))
HUB = SigningKey.from_seed(bytes(range(32, 64)))
ROOT = SigningKey.from_seed(bytes(range(64, 96)))
SEALING_SEED = bytes(range(96, 128))
SITI = Profile(bytes(range(16)), "Siti Aminah", "Kaur Keuangan")
BUDI = Profile(bytes(range(16, 32)), "Budi Santoso", "Kepala Desa")
NAMED_LATER = Profile(bytes(range(32, 48)), "Hj. Siti Aminah", "Kaur Keuangan")

FIRST: tuple[Kind, ...] = (
    LogOpened(1, DEVICE.public, sealing_public(SEALING_SEED), bytes(range(16)), 0, b""),
    ClockObserved(0, 1_772_413_200_000, 0),
)
SECOND: tuple[Kind, ...] = (
    PackInstalled(sha256(b"course")[:16], sha256(b"manifest"), 1),
    LearnerAdded(SITI.commitment),
    LearnerAdded(BUDI.commitment),
    LessonOpened(0, 0, 1, 12),
    QuestionAnswered(0, 0, 1, 1, 2, True, 34),
    QuestionAnswered(0, 0, 1, 2, 0, False, 41),
    QuizSubmitted(0, 0, 1, 5_000, 75),
    LessonProgressed(1, 0, 2, 10_000, 300),
    ProfileChanged(0, NAMED_LATER.commitment),
    OperatorActed(1, 1),
    AnchorNoted(bytes(8), 1_772_413_300),
    CourseCompleted(1, 0, 3),
)


THIRD: tuple[Kind, ...] = (
    LearnerContinued(bytes(range(16))),
    LearnerLeft(0, 0),
    LearnerLeft(0, 1),
    BundleWritten(bytes(range(16)), 1),
)


def vectors() -> dict[str, Json]:
    """File name without ending → what stands in it."""
    return {
        "cbor": cbor_vectors(),
        "keys": key_vectors(),
        "envelopes": envelope_vectors(),
        "columns": column_vectors(),
        "segments": segment_vectors(),
        "exchange": exchange_vectors(),
        "registration": registration_vectors(),
        "logclock": logclock_vectors(),
        "merging": merging_vectors(),
        "manifests": plain(manifest_vectors()),
        "bundles": plain(bundle_vectors()),
        "courier": plain(courier_vectors()),
        "decisions": plain(decision_vectors()),
        "unlock": plain(unlock_vectors()),
        "certificates": plain(certificate_vectors()),
    }


def plain(value: Any) -> Json:
    """`value` as JSON can hold it."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Entry):
        return plain([value.seq, value.kind, value.t, value.fields])
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def entries_of(kinds: tuple[Kind, ...], first_seq: int, base_t: int) -> list[Entry]:
    """Each 1,500 ms after the one before."""
    return [
        Entry(first_seq + at, kind.number, base_t + 1_500 * (at + 1), kind.fields())
        for at, kind in enumerate(kinds)
    ]


def chain() -> tuple[Segment, Segment]:
    """The two segments of the vectors' log."""
    opened = [Entry(0, 0, 0, FIRST[0].fields()), Entry(1, 4, 0, FIRST[1].fields())]
    first = seal(DEVICE, b"", 0, b"", opened, 0)
    return first, seal(DEVICE, first.id, 1, first.id, entries_of(SECOND, 2, 0), 0)


def later() -> Segment:
    """The next segment, with the kinds of a log that goes on from others and travels by stick."""
    first, second = chain()
    base_t = second.read().ts[-1]
    return seal(DEVICE, first.id, 2, second.id, entries_of(THIRD, second.end_seq, base_t), base_t)


def cbor_vectors() -> Json:
    accepted = [
        0,
        23,
        24,
        255,
        256,
        -1,
        -(1 << 63),
        (1 << 64) - 1,
        b"",
        b"\x00" * 24,
        "desa",
        [],
        {},
        True,
        None,
    ]
    accepted += [[1, [2, [3]]], {0: 1, 23: [False]}]
    refused = {
        "integer longer than needed": "1817",
        "indefinite array": "9f01ff",
        "indefinite bytes": "5f4100ff",
        "map keys unsorted": "a202000100",
        "map key repeated": "a201000100",
        "map key above 23": "a1181800",
        "text as map key": "a16161f6",
        "float": "f93c00",
        "undefined": "f7",
        "unknown tag": "c100",
        "two items": "0000",
        "cut": "8201",
        "nine levels deep": "81" * 9 + "00",
        "text that is no UTF-8": "61ff",
    }
    return {
        "accepted": [plain({"value": plain(value), "bytes": cbor.encode(value)}) for value in accepted],
        "refused": [{"why": why, "bytes": {"hex": data}} for why, data in refused.items()],
    }


def key_vectors() -> Json:
    return [
        plain(
            {
                "seed": key.seed,
                "public": key.public,
                "id": key_id(key.public),
                "fingerprint": fingerprint(key.public),
                "signature of the text lontar": key.sign(b"lontar"),
            }
        )
        for key in (DEVICE, HUB, ROOT)
    ] + [plain({"sealing seed": SEALING_SEED, "sealing public": sealing_public(SEALING_SEED)})]


def envelope_vectors() -> Json:
    made = cose.seal(DEVICE, b"payload", cose.SEGMENT)
    named = cose.seal(DEVICE, b"payload", cose.MANIFEST, key_id(DEVICE.public))
    other_algorithm = cbor2.CBORTag(18, [cbor.encode({1: -8}), {}, b"payload", bytes(64)])
    return {
        "accepted": [
            plain({"aad": cose.SEGMENT, "public": DEVICE.public, "payload": b"payload", "bytes": made}),
            plain({"aad": cose.MANIFEST, "public": DEVICE.public, "payload": b"payload", "bytes": named}),
        ],
        "refused": [
            plain({"why": "another purpose", "aad": cose.REQUEST, "public": DEVICE.public, "bytes": made}),
            plain({"why": "another key", "aad": cose.SEGMENT, "public": HUB.public, "bytes": made}),
            plain(
                {
                    "why": "a changed byte",
                    "aad": cose.SEGMENT,
                    "public": DEVICE.public,
                    "bytes": made[:-1] + bytes([made[-1] ^ 1]),
                }
            ),
            plain(
                {
                    "why": "another algorithm",
                    "aad": cose.SEGMENT,
                    "public": DEVICE.public,
                    "bytes": cbor.encode(other_algorithm),
                }
            ),
            plain({"why": "cut", "aad": cose.SEGMENT, "public": DEVICE.public, "bytes": made[:-1]}),
        ],
    }


def column_vectors() -> Json:
    """Entry lists with their bodies. `written` bodies must be made too, the others only read."""
    unknown = [
        Entry(5, 1_001, 10, (7, 2, True, "kelak", b"\x01\x02", -(1 << 63), (1 << 63) - 1)),
        Entry(6, 1_002, 10, (7, 2, 1, 9)),
        Entry(7, 1_001, 4_011, (7, 2, False, "é", b"", 0, 1)),
        Entry(8, 3, 1 << 40, (8, 0, 1, 5, "isian baru")),
    ]
    many = [
        Entry(
            at,
            11,
            9_000 + 7_300 * at,
            (at // 40 % 5, 0, 1 + at // 200, 1 + at % 10, at % 4, at % 3 > 0, at % 50),
        )
        for at in range(400)
    ]
    lists = {
        "one entry": (entries_of(SECOND[3:4], 9, 100), 100),
        "every kind of format 1": ([Entry(0, 0, 0, FIRST[0].fields()), *entries_of(SECOND, 1, 0)], 0),
        "unknown kinds and fields": (unknown, 3),
        "four hundred answers": (many, 1_700),
    }
    made = []
    for name, (entries, base_t) in lists.items():
        codec, body = columns.encode(entries, base_t)
        made.append(
            plain(
                {
                    "name": name,
                    "base_t": base_t,
                    "first_seq": entries[0].seq,
                    "entries": entries,
                    "codec": codec,
                    "body": body,
                    "written": codec == columns.PLAIN,
                }
            )
        )
    return made


def segment_vectors() -> Json:
    return [
        plain(
            {
                "log": segment.log,
                "index": segment.index,
                "previous": segment.previous,
                "first_seq": segment.first_seq,
                "count": segment.count,
                "codec": segment.codec,
                "id": segment.id,
                "public": DEVICE.public,
                "entries": segment.read().entries(),
                "bytes": segment.data,
            }
        )
        for segment in (*chain(), later())
    ] + [
        plain(
            {
                "profile": profile.encode(),
                "salt": profile.salt,
                "name": profile.name,
                "position": profile.position,
                "commitment": profile.commitment,
                "learner": learner_id(chain()[0].id, profile.commitment),
            }
        )
        for profile in (SITI, BUDI)
    ]


def exchange_vectors() -> Json:
    first, second = chain()
    t = 18_000
    asked = Request(key_id(DEVICE.public), t, 1_772_413_218, (Head(first.log, 1, second.id),))
    header = exchange.sign_request(DEVICE, asked)
    pushed = exchange.sign_request(DEVICE, Request(key_id(DEVICE.public), t, 1_772_413_218))
    body = b"".join([pushed, first.data, SITI.encode(), BUDI.encode(), NAMED_LATER.encode(), second.data])
    receipt = Receipt(
        exchange.request_hash(header),
        1_772_413_300_000,
        (Verdict(Head(first.log, 1, second.id), Status.STORED),),
        keyset_version=1,
    )
    said = tuple(Head(one.log, one.index, one.id) for one in hub_segments())
    summed = exchange.sign_request(
        DEVICE, Request(key_id(DEVICE.public), t, 1_772_413_218, (), digest_of(said[1:]))
    )
    wanting = exchange.sign_request(
        DEVICE, Request(key_id(DEVICE.public), t, 1_772_413_218, (), said[1:], Wants.HISTORY)
    )
    more, unknown = (
        Receipt(exchange.request_hash(asked), 1_772_413_300_000, (), down=down)
        for asked, down in ((wanting, Down.MORE), (summed, Down.NAME_YOURS))
    )
    nothing = Receipt(
        exchange.request_hash(pushed),
        1_772_413_300_000,
        (Verdict(Head(first.log, NOTHING, b""), Status.FORK),),
    )
    return plain(
        {
            "request that asks": header,
            "request that pushes": pushed,
            "body that pushes": body,
            "receipt for the one that asks": exchange.sign_receipt(HUB, receipt),
            "receipt for the one that pushes": exchange.sign_receipt(HUB, nothing),
            "hub public": HUB.public,
            "digest of what a device holds of hub logs": digest_of(said[1:]),
            "request with a digest": summed,
            "receipt that doesn't know the digest": exchange.sign_receipt(HUB, unknown),
            "request that names what it holds and wants history": wanting,
            "answer that isn't all": exchange.sign_receipt(HUB, more)
            + wrap(ItemKind.HUB_SEGMENT, hub_segments()[0].data)
            + SITI.encode()
            + first.data,
            "refusal": exchange.encode_refusal("try-later", "Coba lagi nanti."),
        }
    )


def registration_vectors() -> Json:
    code = Code("7KQ2", "M4TX9RHB")
    nonce = bytes(range(16))
    keyset = sign_keyset(
        ROOT,
        Keyset(
            1,
            ROOT.public,
            (HUB.public,),
            SealingKey(CLASSICAL, sealing_public(SEALING_SEED)),
            (DEVICE.public,),
        ),
    )
    proof = registration.device_proof(code.key(), DEVICE.public, nonce)
    asked = Registration(
        DEVICE.public, sealing_public(SEALING_SEED), "17.05.10.2007", code.handle, proof, nonce
    )
    request = registration.sign_registration(DEVICE, asked)
    answer = RegistrationAnswer("registered", "17.05.10.2007", 1_772_413_300_000, keyset)
    return plain(
        {
            "code": str(code),
            "code as typed": "7kq2 m4tx 9rhb",
            "key": code.key(),
            "keyset": keyset,
            "device proof": proof,
            "registration": request,
            "hub proof": registration.hub_proof(code.key(), request, answer),
            "answer": registration.sign_answer(HUB, request, answer, code.key()),
        }
    )


def logclock_vectors() -> Json:
    hour = 3_600_000
    cases: dict[str, tuple[int, list[Anchor], list[Received], list[WallNote]]] = {
        "nobody has received it": (5_000, [], [], [WallNote(0, 100)]),
        "no anchor": (0, [], [Received(hour, 1_000 * hour)], []),
        "between anchor and reception": (
            hour,
            [Anchor(0, 900 * hour)],
            [Received(2 * hour, 1_000 * hour)],
            [],
        ),
        "a right wall clock": (
            hour,
            [Anchor(0, 900 * hour)],
            [Received(2 * hour, 1_000 * hour)],
            [WallNote(0, 950 * hour)],
        ),
        "a wall clock in the future": (
            hour,
            [Anchor(0, 900 * hour)],
            [Received(2 * hour, 1_000 * hour)],
            [WallNote(0, 9_000 * hour)],
        ),
        "evidence that contradicts itself": (
            hour,
            [Anchor(0, 1_000 * hour)],
            [Received(hour, 999 * hour)],
            [],
        ),
    }
    made = []
    for name, (t, anchors, received, walls) in cases.items():
        known = interval(t, anchors, received, walls)
        made.append(
            {
                "name": name,
                "t": t,
                "anchors": [[a.t, a.hub_ms] for a in anchors],
                "received": [[r.t, r.hub_ms] for r in received],
                "walls": [[w.t, w.wall_ms] for w in walls],
                "interval": known and [known.earliest, known.estimate, known.latest, known.clock_was_wrong],
            }
        )
    return made


def merging_vectors() -> Json:
    first, second = chain()
    totals = fold(batch_of(second.read().entries()))
    tip = Head(first.log, 5, b"\x05" * 16)
    heads = []
    for name, claimed, held, known in (
        ("nothing held", Head(first.log, 3, b"\x03" * 16), None, False),
        ("device is ahead", Head(first.log, 7, b"\x07" * 16), Held(tip, False), False),
        ("the same", tip, Held(tip, False), True),
        ("an older disk", Head(first.log, 3, b"\x03" * 16), Held(tip, False), True),
        ("an older disk of a forked log", Head(first.log, 3, b"\x03" * 16), Held(tip, True), True),
        ("another history", Head(first.log, 5, b"\x55" * 16), Held(tip, False), False),
    ):
        heads.append(
            {"name": name, "claimed": claimed.index, "status": int(judge_head(claimed, held, known))}
        )
    return {
        "rows of the second segment": {
            row.name: [
                {"key": list(key), **dict(zip(row.columns, finished(values, row), strict=True))}
                for key, values in sorted(changes.items())
            ]
            for row, changes in totals.items()
        },
        "verdicts on heads when the hub's tip is 5": heads,
    }

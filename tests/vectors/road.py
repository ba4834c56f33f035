"""The frozen vectors of what travels without a signal: bundles, couriers' messages, what a hub says, unlock codes.

HPKE draws random numbers: of sealed parts only opening is frozen. Those that are on file stay; a part is made anew only
where none is on file.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sync import bundle, cbor, cose, courier, decisions, limits
from sync.bundle import FromDevice, FromHub, Head
from sync.certificate import Claim, address, draft_code, final_code, seal_draft, seal_final, vouch
from sync.courier import MailAnswer, MailPart, MailRequest, Note, Place, Taken
from sync.decisions import (
    HUB_KINDS,
    CertificateIssued,
    DeviceRegistered,
    EntriesAccepted,
    EntriesRejected,
    HubLogOpened,
    HubOperatorActed,
    PackPublished,
)
from sync.entries import Entry, Kind, field_types
from sync.exchange import Request, Verdict, Wants
from sync.items import ItemKind, wrap
from sync.keys import SigningKey, key_id, sha256
from sync.log import Head as LogHead
from sync.log import Status
from sync.profile import Profile
from sync.sealing import CLASSICAL, HYBRID, OpeningKey, seed_size
from sync.segment import Segment, seal
from sync.unlock import code

DEVICE: Final = SigningKey.from_seed(bytes(range(32)))
HUB: Final = SigningKey.from_seed(bytes(range(32, 64)))
COURIER: Final = SigningKey.from_seed(bytes(range(128, 160)))
VILLAGE: Final = OpeningKey(CLASSICAL, bytes(range(96, 128)))
CENTRES: Final = {
    suite: OpeningKey(suite, bytes(range(160, 160 + seed_size(suite)))) for suite in (CLASSICAL, HYBRID)
}
OPENED_MS: Final = 1_772_413_200_000
BUNDLE: Final = VILLAGE.public.id + bytes(range(8))
MAIL: Final = CENTRES[CLASSICAL].public.id + bytes(range(8, 16))

_FOLDER: Final = Path(__file__).parent
_TIP: Final = LogHead(bytes(range(16)), 3, bytes(range(16, 32)))
_VALUES: Final[dict[type, tuple[Any, ...]]] = {
    int: (1, 300, 1_772_413_200_000, 2),
    bytes: (bytes(range(16)), bytes(range(16, 48)), b""),
    str: ("17.05.10.2007", "Pelatihan baru", "Ḷontar"),
}


_FIRST_FIELDS: Final = {
    EntriesRejected: 4,
    EntriesAccepted: 3,
    PackPublished: 4,
    DeviceRegistered: 3,
    CertificateIssued: 3,
}
"""How many fields these kinds had when the segments were frozen; more have been appended since."""


def hub_segments() -> tuple[Segment, Segment]:
    """A hub's log of one village: how it begins, and one of every kind that devices read."""
    opened = HubLogOpened(1, "17.05.10.2007", bytes(range(16)), OPENED_MS, 0)
    first = seal(HUB, b"", 0, b"", [Entry(0, opened.number, 0, opened.fields())], 0, cose.HUB_SEGMENT)
    entries = [
        Entry(1 + at, kind.number, 1_000 * at, kind.fields()[: _FIRST_FIELDS.get(type(kind))])
        for at, kind in enumerate(kind for kind in said() if not isinstance(kind, HubOperatorActed))
    ]
    return first, seal(HUB, first.id, 1, first.id, entries, 0, cose.HUB_SEGMENT)


def said() -> list[Kind]:
    """One of every kind that a hub can say, but for the first of a log."""
    made = []
    for number, kind in sorted(HUB_KINDS.items()):
        if kind is not HubLogOpened:
            fields = field_types(kind).values()
            made.append(
                kind(
                    *(
                        _VALUES[type_][(number + at) % len(_VALUES[type_])]
                        for at, type_ in enumerate(fields)
                    )
                )
            )
    return made


def decision_vectors() -> dict[str, Any]:
    first, second = hub_segments()
    return {
        "hub public": HUB.public,
        "kinds": [
            {
                "kind": type(kind).__name__,
                "number": type(kind).number,
                "names": list(field_types(type(kind))),
                "fields": kind.fields(),
                "fields as CBOR": cbor.encode(kind.fields()),
            }
            for kind in (HubLogOpened(1, "17.05.10.2007", bytes(range(16)), OPENED_MS, 0), *said())
        ],
        "segments": [
            {
                "index": one.index,
                "log": one.log,
                "id": one.id,
                "entries": one.read().entries(),
                "bytes": one.data,
            }
            for one in (first, second)
        ],
        "scopes": {
            village: list(decisions.scopes_of(village)) for village in ("17.05.10.2007", "17.05", "17")
        },
    }


def certificate_vectors() -> dict[str, Any]:
    """A draft and the final certificate of the same person, as square codes hold them."""
    profile = Profile(bytes(range(16)), "Siti Aminah", "Kaur Keuangan")
    draft = Claim(
        "17.05.10.2007", bytes(range(16)), profile.commitment, bytes(range(16, 32)), "Tata Kelola Desa", 2, 8,
        8_750, "2026-10-15",
    )  # fmt: skip
    final = replace(draft, number="0001/17.05.10.2007/2026", issued_ms=OPENED_MS)
    vouched = vouch(HUB, DEVICE.public, draft.village)
    codes = {
        "draft": draft_code(seal_draft(DEVICE, draft), profile.encode(), DEVICE.public, vouched),
        "draft of a device without registration": draft_code(
            seal_draft(DEVICE, draft), profile.encode(), DEVICE.public, b""
        ),
        "final": final_code(seal_final(HUB, final), profile.encode()),
    }
    return {
        "hub public": HUB.public,
        "name": profile.name,
        "claim": draft.encode(),
        "final claim": final.encode(),
        "vouch": vouched,
        "codes": codes,
        "address": address(codes["final"], "https://pusat.example.go.id"),
    }


def unlock_vectors() -> list[dict[str, Any]]:
    return [
        {
            "suite of the centre": suite,
            "centre seed": centre.seed,
            "device sealing seed": VILLAGE.seed,
            "device": device,
            "challenge": challenge,
            "code": code(centre, VILLAGE.public.public, device, challenge),
        }
        for suite, centre in CENTRES.items()
        for device, challenge in ((key_id(DEVICE.public), "7KQ2M4"), (bytes(16), "000000"))
    ]


def courier_vectors() -> dict[str, Any]:
    ids = [sha256(bytes([at])) for at in range(11)]
    question = courier.ask_missing(ids)
    lacks = [at % 3 == 0 for at in range(11)]
    request = courier.sign_mail_request(
        COURIER,
        MailRequest(
            key_id(COURIER.public),
            1_772_413_200,
            ((VILLAGE.public.id, bytes(8)),),
            (Note(BUNDLE, 0, 1_772_400_000),),
            (sha256(b"a part of long mail")[:8],),
        ),
    )
    part = b"a whole part"
    mail = MailPart(VILLAGE.public.id, bytes(range(8)), part).encode()
    answer = MailAnswer(
        OPENED_MS,
        b"a keyset",
        (Place(VILLAGE.public.id, "17.05.10.2007", "Lubuk Sungai"),),
        more=True,
        following=courier.hash_of_following(mail),
    )
    return {
        "hub public": HUB.public,
        "courier public": COURIER.public,
        "part ids": ids,
        "question": question,
        "lacking": lacks,
        "answer to the question": courier.sign_missing(HUB, question, OPENED_MS, lacks),
        "part": part,
        "what became of it": {
            taken.name: courier.sign_taken(HUB, part, OPENED_MS, taken) for taken in Taken
        },
        "mail request": request,
        "mail answer": courier.sign_mail_answer(HUB, request, answer),
        "mail part": mail,
    }


def bundle_vectors() -> dict[str, Any]:
    device = VILLAGE.public.id
    heads = [
        Head(suite, CENTRES[suite].public.id, BUNDLE, index, count, length)
        for suite, index, count, length in ((1, 0, 1, 304), (2, 6, 7, 33_904), (1, 4095, 4096, limits.PART))
    ]
    sizes = (0, 1, 256, 257, 4096, 4097, 5000, 8192, 10_000, 32_000, 32_768, 65_537, 100_000, limits.PART)
    return {
        "keys": {
            "device signs with": DEVICE.public,
            "hub signs with": HUB.public,
            "device opens with": VILLAGE.seed,
            "device sealing id": device,
            **{f"centre opens with, suite {suite}": key.seed for suite, key in CENTRES.items()},
            **{f"centre public, suite {suite}": key.public.public for suite, key in CENTRES.items()},
            **{f"centre sealing id, suite {suite}": key.public.id for suite, key in CENTRES.items()},
        },
        "heads": [
            {
                "bytes": head.encode(),
                "suite": head.suite,
                "recipient": head.recipient,
                "bundle": head.bundle,
                "index": head.index,
                "count": head.count,
                "length": head.length,
                "size of the part": head.size,
            }
            for head in heads
        ],
        "padding": [[size, bundle.padded_size(size)] for size in sizes],
        "parts": _parts(),
    }


def _parts() -> dict[str, Any]:
    """Sealed parts, as they are on file, or new where none is."""
    request = Request(key_id(DEVICE.public), 18_000, 1_772_413_218, (_TIP,), (_TIP,), Wants.HISTORY)
    verdict = Verdict(LogHead(_TIP.log[:8], 3, _TIP.id[:8]), Status.STORED)
    mail = FromHub(key_id(DEVICE.public), OPENED_MS, 2, (verdict,))
    stream = [wrap(ItemKind.HUB_SEGMENT, one.data) for one in hub_segments()] + [cbor.encode([99, "nanti"])]
    made: dict[str, Any] = {}
    for name, recipient, key, manifest, id_ in (
        ("of a device, suite 1", CENTRES[CLASSICAL], DEVICE, FromDevice(request), BUNDLE),
        ("of a device, suite 2", CENTRES[HYBRID], DEVICE, FromDevice(request), BUNDLE),
        ("of a hub, suite 1", VILLAGE, HUB, mail, MAIL),
    ):
        on_file = _on_file(name)
        (part,) = [on_file] if on_file else bundle.seal_parts(recipient.public, key, manifest, stream, id_)
        made[name] = {
            "opens with": recipient.seed,
            "signed by": key.public,
            "manifest after the version": [recipient.public.id, id_, 0, 1, *manifest.fields()],
            "stream before the padding": b"".join(stream),
            "part id": bundle.part_id(part),
            "bytes": part,
        }
    return made


def _on_file(name: str) -> bytes:
    try:
        kept = json.loads((_FOLDER / "bundles.json").read_text(encoding="utf-8"))
        return bytes.fromhex(kept["parts"][name]["bytes"]["hex"])
    except (OSError, KeyError):
        return b""

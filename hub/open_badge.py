"""A certificate as an Open Badge 3.0, which is a W3C Verifiable Credential (data model 2.0), for wallets and other systems.

Signed with the hub's own Ed25519 key: a data integrity proof of the cryptosuite eddsa-jcs-2022
(https://www.w3.org/TR/vc-di-eddsa/, section 3.3), whose issuer is the key itself (did:key), so that nothing needs to be
looked up. It says what stands on the paper and no more. https://www.imsglobal.org/spec/ob/v3p0/
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import base58
import rfc8785

from sync.certificate import Certificate
from sync.keys import SigningKey, sha256

MEDIA_TYPE: Final = "application/vc+ld+json"
_CONTEXTS: Final = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
)
_ED25519: Final = b"\xed\x01"
"""How a multicodec says that a public key is one of Ed25519."""
_ISSUER: Final = "Lontar"

Json = dict[str, Any]


def made(found: Certificate, key: SigningKey, hub_url: str) -> Json:
    """The credential of a certificate that the hub confirmed; `hub_url` is where anybody may check it, or ""."""
    claim = found.claim
    issued = _moment(claim.issued_ms)
    did = did_of(key.public)
    achievement: Json = {
        "id": f"urn:lontar:course:{claim.course_key.hex()}:{claim.version}",
        "type": ["Achievement"],
        "achievementType": "CertificateOfCompletion",
        "name": claim.title,
        "description": claim.title,
        "criteria": {"narrative": f"{claim.hours_jp} JP"},
        "inLanguage": "id",
    }
    subject: Json = {
        "id": f"urn:lontar:learner:{claim.learner.hex()}",
        "type": ["AchievementSubject"],
        "identifier": [
            {
                "type": "IdentityObject",
                "hashed": False,
                "identityType": "name",
                "identityHash": found.profile.name,
            }
        ],
        "achievement": achievement,
    }
    if claim.score is not None:
        subject["result"] = [{"type": ["Result"], "value": f"{claim.score / 100:g}"}]
    credential: Json = {
        "@context": list(_CONTEXTS),
        "id": f"urn:lontar:certificate:{quote(claim.number)}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": claim.title,
        "issuer": {
            "id": did,
            "type": ["Profile"],
            "name": _ISSUER,
            **({"url": hub_url} if hub_url else {}),
        },
        "validFrom": issued,
        "credentialSubject": subject,
    }
    return signed(credential, key, issued)


def signed(credential: Json, key: SigningKey, created: str) -> Json:
    """A credential with its proof. `created` is a time as XML Schema writes it."""
    did = did_of(key.public)
    options: Json = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": created,
        "verificationMethod": f"{did}#{did.removeprefix('did:key:')}",
        "proofPurpose": "assertionMethod",
        "@context": credential["@context"],
    }
    digest = sha256(rfc8785.dumps(options)) + sha256(rfc8785.dumps(credential))
    return {**credential, "proof": {**options, "proofValue": _multibase(key.sign(digest))}}


def did_of(public: bytes) -> str:
    """A public key as a decentralised identifier (https://w3c-ccg.github.io/did-key-spec/)."""
    return f"did:key:{_multibase(_ED25519 + public)}"


def _multibase(data: bytes) -> str:
    return "z" + base58.b58encode(data).decode("ascii")


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).isoformat().replace("+00:00", "Z")

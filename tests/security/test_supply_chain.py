"""What a release is made of: locks that pin everything with hashes, the bill made of them, the audit that says if it couldn't ask."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from deploy import audit, locks, sbom


@pytest.mark.parametrize("extra", locks.EXTRAS)
def test_a_lock_pins_all_that_an_installation_asks_for(extra: str) -> None:
    pinned = {canonicalize_name(one.name): one for one in locks.read(extra)}
    for asked in map(Requirement, locks.wanted(extra)):
        one = pinned[canonicalize_name(asked.name)]
        assert Version(one.version) in asked.specifier, f"{one}: run `make locks`"
    assert len(pinned) >= len(locks.wanted(extra))


@pytest.mark.parametrize("extra", locks.EXTRAS)
def test_everything_in_a_lock_has_a_hash_and_nothing_comes_from_elsewhere(extra: str) -> None:
    pinned = locks.read(extra)
    assert all(one.hashes for one in pinned)
    lines = [line for line in locks.path_of(extra).read_text().splitlines() if line[:1].isalpha()]
    assert len(lines) == len(pinned)
    text = locks.path_of(extra).read_text()
    assert "://" not in text
    assert "--index" not in text
    assert " @ " not in text


def test_a_bundle_is_held_to_the_locks() -> None:
    held = locks.constraints("node", "courier").splitlines()
    assert {line.partition("==")[0] for line in held} == {
        one.name for extra in ("node", "courier") for one in locks.read(extra)
    }


@pytest.mark.parametrize("extra", locks.EXTRAS)
def test_the_bill_names_everything_in_the_lock(extra: str) -> None:
    made = sbom.bill(extra)
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    named = {(one["name"], one["version"]) for one in made["components"]}
    assert named == {(one.name, one.version) for one in locks.read(extra)}
    assert len({one["bom-ref"] for one in made["components"]}) == len(made["components"])
    assert made == sbom.bill(extra), "the same lock gives the same bytes"


def test_an_audit_fails_on_faults_and_not_on_silence() -> None:
    assert audit.judge(0, "No known vulnerabilities found")[0] == 0
    code, said = audit.judge(1, "requests.exceptions.ConnectionError: Max retries exceeded")
    assert (code, "NOT AUDITED" in said) == (0, True)
    assert audit.judge(1, "Found 1 known vulnerability in 1 package\nflask 1.0 PYSEC-2019-179")[0] == 1

"""The fuzzer runs over every parser, what it once found stays mended, and it finds faults that are put in on purpose."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .everything import TARGETS
from .mutator import mutated
from .runner import ROOT, fuzzed

SECONDS = float(os.environ.get("LONTAR_FUZZ_SECONDS", "5"))
REAL = [name for name, target in TARGETS.items() if not target.planted]
CRASHES = Path(__file__).parent / "crashes"
ASKS_SEVERAL = {"player-outcome", "piece-file", "typed", "bundle-part", "courier-asks", "stick"}
"""Targets that ask several parsers, of which each may refuse, or for which nothing is garbage."""
KEPT = sorted(path for path in CRASHES.glob("*/*") if path.is_file())
GARBAGE = [b"", b"\0", b"\xff" * 40, b"PK\x03\x04" + b"\0" * 60, b"{" * 5000, b"<" * 5000, b"\x81" * 5000]


@pytest.mark.parametrize("name", REAL)
def test_a_target_begins_from_bytes_that_it_accepts_and_holds_out_against_garbage(name: str) -> None:
    target = TARGETS[name]
    corpus = list(target.corpus())
    assert sum(target.tried(data) for data in corpus)
    accepted = sum(target.tried(data) for data in GARBAGE)
    assert accepted < len(GARBAGE) or name in ASKS_SEVERAL
    assert sum(map(len, corpus)) < 300_000


@pytest.mark.parametrize("path", KEPT, ids=[f"{path.parent.name}/{path.name}" for path in KEPT])
def test_what_was_found_once_stays_mended(path: Path) -> None:
    TARGETS[path.parent.name].tried(path.read_bytes())


def test_mutations_of_one_seed_are_the_same_every_time() -> None:
    import random

    made = [[mutated(random.Random(seed), [b"lontar", b"desa"]) for seed in range(50)] for _ in range(2)]
    assert made[0] == made[1]
    assert len(set(made[0])) > 40


@pytest.mark.slow
@pytest.mark.parametrize("plain", [False, True], ids=["atheris, where it runs", "mutator"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("planted-key-error", "KeyError"),
        ("planted-loop", "CPU time"),
        ("planted-memory", "MB of memory"),
        ("planted-death", "died of SIGABRT"),
        ("planted-none", ""),
    ],
)
def test_a_planted_fault_is_found_and_replays(
    name: str, said: str, plain: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if plain:
        monkeypatch.setenv("LONTAR_FUZZ_PLAIN", "1")
    assert len(b"x" * (600 << 20)) > 0, "a parent that was large once must not hide a large child"
    outcome = fuzzed(name, 10, tmp_path / "findings", seed=1)
    assert outcome.executions > 3
    assert said in outcome.why or "deadly signal" in outcome.why
    assert (outcome.finding is None) == (said == "")
    if name == "planted-key-error":
        assert outcome.finding is not None
        command = [sys.executable, "-m", "tests.fuzz", "--replay", name, str(outcome.finding)]
        again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert again.returncode != 0
        assert "KeyError" in again.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_fuzzing_finds_nothing(name: str, tmp_path: Path) -> None:
    outcome = fuzzed(name, SECONDS, tmp_path / "findings", seed=7)
    assert outcome.executions > 0
    assert outcome.finding is None, outcome.why + (
        outcome.finding.read_bytes().hex() if outcome.finding else ""
    )

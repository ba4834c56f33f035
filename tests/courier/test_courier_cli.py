"""`lontar courier` from the command line: one command for a whole visit, the exit code tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from officer import Land, tear

from courier.cli import courier
from sync.keys import fingerprint
from sync.stick import IN, OUT


def run(data: Path, *arguments: str) -> Result:
    name, *rest = arguments
    return CliRunner().invoke(courier, [name, "--data", str(data), *rest])


def test_one_command_collects_sends_and_fills_the_stick(land: Land, tmp_path: Path) -> None:
    stick, data = land.stick(), tmp_path / "petugas"
    land.village("asri").bundles.write(stick)
    done = run(data, "register", "--hub", land.url, "--code", land.code())
    assert done.exit_code == 0 and fingerprint(land.hub.config.keyset.root) in done.output
    done = run(data, "send", str(stick.drive))
    assert done.exit_code == 0, done.output
    assert "1 paket diterima" in done.output and "Aman dicabut" in done.output
    assert stick.parts(OUT) == [] and len(stick.parts(IN)) == 1
    done = run(data, "status")
    assert done.exit_code == 0 and "registered 17.05" in done.output and "0 (0 B)" in done.output


@pytest.mark.parametrize("torn", [False, True])
def test_a_torn_part_ends_with_its_own_code(land: Land, tmp_path: Path, torn: bool) -> None:
    stick, data = land.stick(), tmp_path / "petugas"
    land.village("asri").bundles.write(stick)
    run(data, "register", "--hub", land.url, "--code", land.code())
    if torn:
        tear(stick)
    assert run(data, "send", str(stick.drive)).exit_code == (9 if torn else 0)


def test_without_a_line_the_stick_is_still_collected(land: Land, tmp_path: Path) -> None:
    stick, data = land.stick(), tmp_path / "petugas"
    land.village("asri").bundles.write(stick)
    assert run(data, "register", "--hub", "http://127.0.0.1:9").exit_code == 0
    done = run(data, "send", str(stick.drive))
    assert done.exit_code == 6 and "belum mengenal kunci pusat" in done.output
    done = run(data, "send", "--trust", fingerprint(land.hub.config.keyset.root), str(stick.drive))
    assert done.exit_code == 4 and "tidak dapat dihubungi" in done.output
    assert len(stick.parts(OUT)) == 1
    assert "1 (" in run(data, "status").output


def test_a_wrong_code_is_refused_in_one_sentence(land: Land, tmp_path: Path) -> None:
    done = run(tmp_path / "petugas", "register", "--hub", land.url, "--code", "7KQ2-M4TX-9RHB")
    assert done.exit_code == 6 and "Traceback" not in done.output

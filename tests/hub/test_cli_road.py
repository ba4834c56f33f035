"""`lontar hub receive|send|courier|unlock|merge|separate|erase`: what is printed, and the exit codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from centre import made_hub
from click.testing import CliRunner, Result
from device import VILLAGE, Device
from test_pages import village
from test_pages_road import part_of, person, said

from hub import cli_usb, couriers
from hub.cli import hub as group
from hub.db import reading
from hub.queries import persons
from hub.wiring import Hub
from sync import unlock
from sync.decisions import UnlockCodeGiven
from sync.sealing import CLASSICAL, OpeningKey
from sync.stick import IN, OUT, Stick


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Hub]:
    made = made_hub(tmp_path / "hub")
    yield made
    made.close()


def lontar_hub(centre: Hub, command: str, *words: str | Path, typed: str = "") -> Result:
    arguments = [command, *map(str, words), "--data", str(centre.config.data)]
    return CliRunner().invoke(group, arguments, input=typed)


def counts(result: Result) -> dict[str, int]:
    return {label: int(count) for label, count in re.findall(r"^(\S.*?) {2,}(\d+)$", result.stdout, re.M)}


def test_a_stick_is_taken_in_and_written_for_the_way_back(centre: Hub, tmp_path: Path) -> None:
    device = Device(1).open(1).registered(centre)
    stick = Stick(tmp_path)
    stick.write_parts(OUT, [part_of(centre, device)])

    first, again = (lontar_hub(centre, "receive", tmp_path) for _ in range(2))
    sent = lontar_hub(centre, "send", tmp_path, "--region", "17.05")

    assert (first.exit_code, again.exit_code, sent.exit_code) == (0, 0, 0)
    assert counts(first)["Diterima"] == 1
    assert counts(again)["Sudah ada"] == 1
    assert "1/1" in first.stderr
    assert "Aman dicabut" in sent.stdout
    assert len(stick.parts(IN)) == 1


def test_a_folder_of_parts_is_taken_in_and_a_torn_one_ends_with_one(centre: Hub, tmp_path: Path) -> None:
    part = part_of(centre, Device(1).open(1).registered(centre))
    folder = tmp_path / "copied"
    folder.mkdir()
    for name, data in (("a.LNB", part), ("b.lnb", part[:-1]), ("c.lnb", b""), ("notes.txt", b"x")):
        (folder / name).write_bytes(data)
    result = lontar_hub(centre, "receive", folder)
    assert result.exit_code == 1
    assert (counts(result)["Diterima"], counts(result)["Tidak utuh"]) == (1, 2)
    assert "salin lagi" in result.stderr


def test_a_folder_without_parts_ends_with_two(centre: Hub, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert lontar_hub(centre, "receive", tmp_path / "empty").exit_code == 2


def test_nothing_is_written_for_a_region_that_isn_t_there(centre: Hub, tmp_path: Path) -> None:
    result = lontar_hub(centre, "send", tmp_path, "--region", "99.99")
    assert result.exit_code == 2
    assert not Stick(tmp_path).has_lontar()


def test_a_stick_that_breaks_off_doesn_t_make_the_hub_forget_what_it_sealed(
    centre: Hub, tmp_path: Path
) -> None:
    village(centre)
    (tmp_path / "LONTAR").write_text("a file where the folder should be")
    result = lontar_hub(centre, "send", tmp_path)
    assert result.exit_code == 9
    with reading(centre.engine) as connection:
        from sqlalchemy import func, select

        from hub import schema

        sealed = connection.execute(select(func.count()).select_from(schema.hub_segments)).scalar_one()
    assert sealed == 1


def test_the_plain_functions_do_what_the_commands_do(centre: Hub, tmp_path: Path) -> None:
    stick = Stick(tmp_path)
    stick.write_parts(OUT, [part_of(centre, Device(1).open(1).registered(centre))])
    cli_usb.read(centre.config.data, tmp_path)
    cli_usb.write(centre.config.data, tmp_path, "")
    assert stick.parts(IN)
    with reading(centre.engine) as connection:
        assert len(persons.of_village(connection, VILLAGE)) == 1


def test_a_courier_gets_a_code_is_listed_and_revoked(centre: Hub) -> None:
    made = lontar_hub(centre, "courier", "Ibu Ketut", "--region", "17.05")
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\n", made.stdout)
    listed = lontar_hub(centre, "courier", "--list").stdout
    assert "Ibu Ketut" in listed
    number = listed.split()[0]
    assert lontar_hub(centre, "courier", "--revoke", number).exit_code == 0
    with reading(centre.engine) as connection:
        assert [row.state for row in couriers.listed(connection)] == ["revoked"]
    assert lontar_hub(centre, "courier", "--revoke", "99").exit_code == 2
    assert lontar_hub(centre, "courier", "Ibu Ketut").exit_code == 2
    assert lontar_hub(centre, "courier", "Ibu Ketut", "--region", "99").exit_code == 2


def test_an_unlock_code_is_printed_and_written_down(centre: Hub) -> None:
    device = village(centre)
    result = lontar_hub(centre, "unlock", device.id.hex()[:12], "7KQ2M0")
    laptop = OpeningKey(CLASSICAL, bytes(32))
    expected = unlock.code(laptop, centre.config.keyset.intake.public, device.id, "7KQ2M0")
    assert result.stdout.split() == [expected]
    assert said(centre, VILLAGE)[-1] == UnlockCodeGiven(device.id, "7KQ2M0")
    assert lontar_hub(centre, "unlock", device.id.hex()[:12], "7KQ").exit_code == 1


def test_people_are_merged_separated_and_erased_by_the_beginning_of_their_numbers(centre: Hub) -> None:
    device = village(centre)
    one, other = (person(device, at).hex() for at in (0, 1))

    def people() -> list[str]:
        with reading(centre.engine) as connection:
            return [found.name for found in persons.of_village(connection, VILLAGE)]

    assert lontar_hub(centre, "merge", one[:9], other).exit_code == 0
    assert len(people()) == 1
    assert lontar_hub(centre, "separate", one, other[:12]).exit_code == 0
    assert people() == ["Peserta 1", "Peserta 2"]

    assert lontar_hub(centre, "erase", one, typed="n\n").exit_code == 1
    assert people() == ["Peserta 1", "Peserta 2"]
    assert lontar_hub(centre, "erase", one, "--yes").exit_code == 0
    assert people() == ["Peserta 2", ""]


def test_numbers_that_name_nobody_or_twice_the_same_change_nothing(centre: Hub) -> None:
    one = person(village(centre), 0).hex()
    for words in ((one, one), (one, "ff" * 16), (one, ""), ("zz", one)):
        for command in ("merge", "separate"):
            assert lontar_hub(centre, command, *words).exit_code == 2, words
    assert lontar_hub(centre, "erase", "zz", "--yes").exit_code == 2

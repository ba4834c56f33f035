"""Facts as Parquet: DuckDB reads them, and their sums are those of the hub."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from centre import made_hub
from click.testing import CliRunner
from device import COURSE, VILLAGE, Device
from office import CERTIFICATE, world
from sqlalchemy import distinct, func, insert, select, update
from test_exports import many
from test_pages import counted

from hub import schema
from hub.cli import hub as hub_command
from hub.db import reading, writing
from hub.errors import HubError
from hub.exports import parquet
from hub.exports.facts import FACTS
from hub.wiring import Hub, now_ms
from sync.entries import CourseCompleted, LessonOpened, LessonProgressed, QuestionAnswered, QuizSubmitted

FAR = "51.03.01.2001"
NOVEMBER = int(datetime(2026, 10, 31, 16, 30, tzinfo=UTC).timestamp()) * 1000
"""Half past midnight where clocks show WITA; half an hour before midnight in WIB."""


def written(hub: Hub, folder: Path, region: str = "", names: bool = False) -> dict[str, int]:
    return parquet.write(hub.engine, folder, region, names, now_ms())


def asked(folder: Path, table: str, what: str) -> tuple[Any, ...]:
    """What DuckDB answers about a table of facts."""
    source = f"read_parquet('{folder}/{table}/**/*.parquet', hive_partitioning=true)"
    with duckdb.connect() as connection:
        found = connection.execute(f"select {what} from {source}").fetchone()
    assert found is not None
    return found


def active(hub: Hub, seed: int, village: str = VILLAGE, people: int = 3) -> Device:
    device = Device(seed).open(people).registered(hub, village)
    for person in range(people):
        device.seal(
            LessonOpened(person, 0, 1, 5),
            LessonProgressed(person, 0, 1, 10_000, 90 + seed),
            QuestionAnswered(person, 0, 2, 1, 0, True, 7),
            QuizSubmitted(person, 0, 2, 8_500, 1),
            CourseCompleted(person, 0, 2),
        )
    device.send(hub)
    return device


def sums(hub: Hub, *columns: Any) -> tuple[Any, ...]:
    with reading(hub.engine) as connection:
        return tuple(int(value) for value in connection.execute(select(*columns)).one())


def test_duckdb_finds_the_sums_of_the_hub(hub: Hub, tmp_path: Path) -> None:
    for seed in range(1, 5):
        active(hub, seed)
    active(hub, 5, FAR)
    folder = tmp_path / "fakta"
    counts = written(hub, folder)
    lp, cp = schema.lesson_progress.c, schema.course_progress.c
    ours = sums(
        hub, func.count(), func.sum(lp.seconds), func.sum(lp.answers), func.sum(lp.attempts), func.max(lp.best_score),
        func.count(distinct(lp.learner)),
    )  # fmt: skip
    theirs = asked(
        folder, "progress", "count(*), sum(seconds), sum(answers), sum(attempts), max(best_score), count(distinct learner)"
    )  # fmt: skip
    assert theirs == ours
    assert asked(folder, "completions", "count(*), sum(completions)") == sums(
        hub, func.count(), func.sum(cp.completions)
    )
    merged = sums(hub, func.sum(schema.segments.c.count))
    assert asked(folder, "devices", "sum(entries_merged)") == merged
    assert counts == {"progress": ours[0], "completions": 15, "devices": 5, "certificates": 0}
    assert json.loads((folder / parquet.ABOUT).read_text())["rows"] == counts


def test_folders_are_provinces_and_months_of_the_village_s_clocks(hub: Hub, tmp_path: Path) -> None:
    for village in (VILLAGE, FAR):
        row = {"learner": b"x" * 16, "course_key": COURSE[0], "village": village, "sealed": b""}
        with writing(hub.engine) as connection:
            connection.execute(
                insert(schema.certificates).values(number=village, issued_ms=NOVEMBER, **row)
            )
    written(hub, tmp_path / "fakta")
    found = {path.parent.relative_to(tmp_path / "fakta") for path in tmp_path.rglob("*.parquet")}
    assert found == {
        Path("certificates/province=17/month=2026-10"),
        Path("certificates/province=51/month=2026-11"),
    }
    assert asked(tmp_path / "fakta", "certificates", "count(*), max(province), max(month)") == (
        2,
        51,
        "2026-11",
    )
    assert asked(tmp_path / "fakta", "certificates", "max(issued_at)")[0].timestamp() * 1000 == NOVEMBER


def test_what_has_no_time_has_no_month(hub: Hub, tmp_path: Path) -> None:
    device = active(hub, 1)
    clone = device.fork()
    clone.seal(LessonProgressed(0, 0, 1, 5_000, 60))
    device.seal(LessonProgressed(0, 0, 2, 5_000, 60))
    device.send(hub)
    clone.send(hub)
    written(hub, tmp_path / "fakta")
    assert asked(tmp_path / "fakta", "completions", "count(*), count(month), count(completed_at)") == (
        3,
        0,
        0,
    )
    assert list((tmp_path / "fakta").rglob("month=__HIVE_DEFAULT_PARTITION__"))


def test_only_the_region_that_was_asked_for(hub: Hub, tmp_path: Path) -> None:
    active(hub, 1)
    active(hub, 2, FAR)
    written(hub, tmp_path / "fakta", region="51")
    for fact in ("progress", "completions", "devices"):
        assert asked(tmp_path / "fakta", fact, "min(village), max(village)") == (FAR, FAR)


def test_names_are_left_out_unless_asked_for(hub: Hub, tmp_path: Path) -> None:
    world(hub)
    written(hub, tmp_path / "tanpa")
    written(hub, tmp_path / "dengan", names=True)
    raw = b"".join(path.read_bytes() for path in (tmp_path / "tanpa").rglob("*.parquet"))
    assert b"Peserta 1" not in raw and b"Kaur" not in raw
    for fact in ("progress", "completions"):
        assert asked(tmp_path / "dengan", fact, "min(name), min(position)") == (
            "Peserta 1",
            "Kaur Keuangan",
        )
    assert asked(tmp_path / "dengan", "certificates", "number, name") == (CERTIFICATE, "Peserta 1")
    with pytest.raises(duckdb.Error):
        asked(tmp_path / "tanpa", "progress", "name")


def test_two_identities_of_one_person_are_one_person_in_the_facts(hub: Hub, tmp_path: Path) -> None:
    active(hub, 1, people=2)
    with writing(hub.engine) as connection:
        person = select(func.min(schema.learners.c.pk)).scalar_subquery()
        connection.execute(update(schema.learners).values(person=person))
    written(hub, tmp_path / "fakta")
    assert asked(tmp_path / "fakta", "completions", "count(distinct learner), count(distinct person)") == (
        2,
        1,
    )


def test_an_earlier_export_is_replaced_as_a_whole_and_nothing_else_is(hub: Hub, tmp_path: Path) -> None:
    active(hub, 1)
    folder = tmp_path / "fakta"
    written(hub, folder)
    active(hub, 2)
    written(hub, folder)
    assert asked(folder, "devices", "count(*)") == (2,)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    other = tmp_path / "lain"
    other.mkdir()
    (other / "catatan.txt").write_text("penting")
    with pytest.raises(HubError, match="berisi hal lain"):
        written(hub, other)
    assert [path.name for path in other.iterdir()] == ["catatan.txt"]


def test_an_export_that_breaks_off_leaves_the_earlier_one(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    active(hub, 1)
    folder = tmp_path / "fakta"
    written(hub, folder)

    def full(rows: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="space"):
        parquet.write(hub.engine, folder, "", False, now_ms(), full)
    assert asked(folder, "devices", "count(*)") == (1,)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_ten_thousand_identities_are_read_in_pages(hub: Hub, tmp_path: Path) -> None:
    many(hub, villages=200, people=50)
    with writing(hub.engine) as connection:
        pack = {"manifest_hash": b"h" * 32, "course_key": COURSE[0], "version": 1}
        pk = connection.execute(
            insert(schema.packs).values(**pack).returning(schema.packs.c.pk)
        ).scalar_one()
        learners = connection.execute(select(schema.learners.c.pk)).scalars().all()
        rows = [{"learner": one, "pack": pk, "completions": 1, "completed_t": 1} for one in learners]
        connection.execute(insert(schema.course_progress), rows)
    with counted(hub) as statements:
        counts = written(hub, tmp_path / "fakta")
    assert counts == {"progress": 0, "completions": 10_000, "devices": 200, "certificates": 0}
    assert asked(tmp_path / "fakta", "completions", "count(distinct learner)") == (10_000,)
    # Two tables of facts walk through the identities, 200 a page.
    assert len(statements) <= 2 * (10_000 // 200 + 5) * 9 + 20


def test_the_command_says_what_it_wrote_and_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = made_hub(tmp_path / "hub")
    active(hub, 1)

    def run(*args: str) -> Any:
        data = ["--data", str(hub.config.data)]
        return CliRunner().invoke(hub_command, ["export", "parquet", *args, *data])

    result = run(str(tmp_path / "fakta"), "--region", "17.05")
    assert (result.exit_code, "completions: 3 baris" in result.output) == (0, True), result.output
    assert asked(tmp_path / "fakta", "completions", "count(*)") == (3,)
    assert run(str(tmp_path / "x"), "--region", "99").exit_code != 0
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run(str(tmp_path / "x"))
    assert result.exit_code == 1
    assert 'pip install "lontar[analyst]"' in result.output
    assert not (tmp_path / "x").exists()
    hub.close()


def test_every_table_of_facts_ends_with_its_folders() -> None:
    for fact in FACTS:
        assert [column.name for column in fact.columns[-2:]] == ["province", "month"]

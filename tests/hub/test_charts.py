"""Charts: every number of a drawing stands in its table too, and nothing leaves the sheet."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from hub.charts import WIDTH, Chart, Pair, Value, bars, columns, pairs, shade, shares, tiles
from hub.provinces import COLUMNS, ROWS, TILES
from web.villages import FOLDER

VALUES = [Value("Bengkulu", 1.0, "20"), Value("Aceh", 0.25, "5"), Value("Riau", None, "–")]
HEAD = ("Wilayah", "Selesai")
CHARTS = [
    bars("Judul", "", HEAD, VALUES),
    columns("Judul", "", HEAD, VALUES * 12),
    pairs("Judul", "", ("Wilayah", "Awal", "Akhir"), [Pair("Bengkulu", VALUES[1], VALUES[0])]),
    tiles("Judul", "", HEAD, {"17": VALUES[0], "11": VALUES[1], "14": VALUES[2]}),
]


def test_every_province_has_a_tile_of_its_own() -> None:
    with (FOLDER / "provinces.csv").open(encoding="utf-8", newline="") as file:
        assert {row["code"] for row in csv.DictReader(file)} == set(TILES)
    assert len({(tile.column, tile.row) for tile in TILES.values()}) == len(TILES) == 38
    assert len({tile.letters for tile in TILES.values()}) == 38
    assert all(0 <= tile.column < COLUMNS and 0 <= tile.row < ROWS for tile in TILES.values())


@pytest.mark.parametrize("chart", CHARTS)
def test_nothing_is_drawn_outside_the_sheet(chart: Chart) -> None:
    for mark in chart.marks:
        for shape in mark.shapes:
            assert shape.x >= 0 and shape.x + shape.width <= WIDTH
            assert shape.y >= 0 and shape.y + shape.height <= chart.height
        for word in mark.words:
            assert 0 <= word.x <= WIDTH and 0 < word.y <= chart.height


@pytest.mark.parametrize("chart", CHARTS)
def test_what_is_drawn_stands_in_the_table(chart: Chart) -> None:
    drawn = {word.text for mark in chart.marks for word in mark.words}
    written = {cell for row in chart.rows for cell in row}
    letters = {tile.letters for tile in TILES.values()}
    assert drawn - letters <= written
    assert all(len(row) == len(chart.head) for row in chart.rows)


def test_the_longest_mark_is_that_of_the_largest_number() -> None:
    assert shares([2, 4, None, 0]) == [0.5, 1.0, None, 0.0]
    assert shares([0, 0]) == [0.0, 0.0]
    assert shares([]) == []


def test_tiles_are_shaded_in_quarters() -> None:
    assert [shade(share) for share in (None, 0.0, 0.24, 0.25, 0.75, 1.0)] == [
        "unknown", "quarter0", "quarter0", "quarter1", "quarter3", "quarter3",
    ]  # fmt: skip


def test_a_tile_leads_to_its_province() -> None:
    chart = tiles("Judul", "", HEAD, {"17": replace(VALUES[0], link="/kemajuan/17")})
    assert [mark.link for mark in chart.marks] == ["/kemajuan/17"]
    assert chart.is_linked


def test_many_columns_leave_labels_out_of_the_drawing_only() -> None:
    chart = CHARTS[1]
    words = [word for mark in chart.marks for word in mark.words if word.y > chart.height - 20]
    assert len(words) < 36
    assert len(chart.rows) == 36

"""Lists of people as workbooks: bombs, entities and far rows are refused in a sentence. Other archives: test_archive, test_pack_verify."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from openpyxl import Workbook

from web import tables
from web.tables import TableError

SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


def workbook(change: Callable[[str, bytes], bytes]) -> bytes:
    """A list of one name, each part of which `change` may replace."""
    book = Workbook()
    assert book.active is not None
    book.active.append(["Nama", "Jabatan"])
    book.active.append(["Siti", "Kepala Desa"])
    plain, made = io.BytesIO(), io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name)))
    return made.getvalue()


def with_doctype(doctype: str, entity: str) -> bytes:
    def change(name: str, data: bytes) -> bytes:
        if name != SHEET:
            return data
        text = data.decode().partition("?>")[2] if data.startswith(b"<?xml") else data.decode()
        sheet = f'<c r="A3" t="inlineStr"><is><t>{entity}</t></is></c>'
        return (doctype + text.replace("</sheetData>", f'<row r="3">{sheet}</row></sheetData>')).encode()

    return workbook(change)


def test_a_plain_workbook_is_read() -> None:
    """What is refused below is refused for what was changed."""
    assert tables.read_table(workbook(lambda _, data: data))[1][:2] == ["Siti", "Kepala Desa"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            workbook(lambda name, data: data + b" " * (50 << 20) if name == SHEET else data), id="bomb"
        ),
        pytest.param(with_doctype(LAUGHS, "&a9;"), id="a billion laughs"),
    ],
)
def test_a_workbook_that_unfolds_without_end_is_refused(data: bytes) -> None:
    assert len(data) < 200_000
    with pytest.raises(TableError):
        tables.read_table(data)


def test_no_file_of_this_machine_is_read_into_a_list() -> None:
    try:
        rows = tables.read_table(with_doctype(OUTSIDE, "&e;"))
    except TableError:
        return
    assert "root:" not in str(rows)


def test_rows_a_million_lines_down_make_no_million_rows() -> None:
    data = workbook(lambda name, data: data.replace(b'r="2"', b'r="1048576"') if name == SHEET else data)
    try:
        rows = tables.read_table(data)
    except TableError:
        return
    assert len(rows) <= 3

"""Pages as an attacker sees them: their forms, filled in with markup, and what came of it anywhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from openpyxl import load_workbook
from werkzeug.test import TestResponse

MARK: Final = "=cmd|'!A0\"><script>x</script>{{7*7}}"
"""A formula for a spreadsheet, an end of an attribute, a script and a template's expression in one."""
RAW: Final = ("<script>x", "script&gt;49", '!A0">')
"""What stands on a page that took it for more than text."""
SHOWN: Final = "&lt;script&gt;x&lt;/script&gt;{{7*7}}"

_FREE: Final = {"text", "search", "url", "email", "tel", "", "password"}


@dataclass
class Form:
    """A form of a page; `free` are the fields in which people write, `given` those with a value of their own."""

    action: str
    method: str
    given: dict[str, str] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._select = ""
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(has.get("action") or self._path, has.get("method", "get").lower()))
        if not self.forms:
            return
        name, form = has.get("name", ""), self.forms[-1]
        if tag == "textarea" or (tag == "input" and name and has.get("type", "") in _FREE):
            form.free.append(name)
        elif tag in ("input", "button") and name and has.get("type") != "file":
            form.given.setdefault(name, has.get("value", "on"))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and has.get("value"):
            form.given.setdefault(self._select, has["value"])


def forms_of(path: str, page: TestResponse) -> list[Form]:
    if not page.mimetype.startswith("text/html"):
        return []
    reader = _Reader(path)
    reader.feed(page.text)
    return reader.forms


def harm(answer: TestResponse) -> str:
    """What an answer does with the mark that it shouldn't; empty if it is text everywhere."""
    if answer.mimetype in ("text/html", "image/svg+xml", "application/xhtml+xml"):
        return next((raw for raw in RAW if raw in answer.text), "")
    if answer.mimetype == "text/csv":
        return next((cell for cell in _cells_of_csv(answer.text) if cell.lstrip()[:1] in tuple("=@+")), "")
    if "spreadsheetml" in answer.mimetype:
        return next(_formulas(answer.data), "")
    return ""


def _cells_of_csv(text: str) -> Iterator[str]:
    for row in csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=";"):
        yield from row


def _formulas(data: bytes) -> Iterator[str]:
    for sheet in load_workbook(io.BytesIO(data)).worksheets:
        for row in sheet.iter_rows():
            yield from (str(cell.value) for cell in row if cell.data_type == "f")

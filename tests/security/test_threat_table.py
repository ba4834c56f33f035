"""docs/security.md names a test for every threat, and each of these tests exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TABLE = ROOT / "docs" / "security.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@cache
def kept_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def rows() -> list[str]:
    text = TABLE.read_text(encoding="utf-8").partition("## What is accepted")[0]
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


def test_every_threat_names_a_test() -> None:
    assert len(rows()) >= 25
    assert not [row for row in rows() if not NAMED.search(row)]


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(TABLE.read_text(encoding="utf-8"))
    assert not [f"{path}::{name}" for path, name in named if name not in kept_in(path)]
    assert len(re.findall(r"::test_", TABLE.read_text(encoding="utf-8"))) == len(named)


def test_what_is_accepted_has_a_reason() -> None:
    text = TABLE.read_text(encoding="utf-8").partition("## What is accepted")[2].partition("\n## ")[0]
    for line in text.splitlines():
        if line.startswith("| "):
            assert all(cell.strip() for cell in line.strip("|").split("|")), line

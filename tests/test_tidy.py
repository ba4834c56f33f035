"""The style guide as a test: tools clean, imports allowed, modules small, words of the vocabulary."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from web import catalogue

ROOT = Path(__file__).parent.parent
PACKAGES = ("sync", "content_packs", "web", "node", "hub", "courier")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
OWN = [path for path in MODULES if "versions" not in path.parts]

PURE = {
    "sync": {"client", "machine", "cli_errors", "stick", "drives", "post"},
}
"""Modules of sync that may do I/O."""

AVOIDED = re.compile(
    r"\b(manager|helper|utils?|handler|payload|packet|event|user|master|slave|conflict)\b", re.I
)
ALLOWED_WORDS = {
    "payload": {
        "signpost.py",
        "cose.py",
        "segment.py",
        "exchange.py",
        "keyset.py",
        "registration.py",
        "manifest.py",
    },
    "event": {"db.py", "worker.py"},  # SQLAlchemy's and threading's own names
    "handler": {"problems.py"},
    "conflict": {"sql.py", "db.py", "intake.py", "merge.py", "store.py"},  # SQL's ON CONFLICT
    "user": {"desk.py", "sittings.py", "app.py", "client.py", "views"},  # flask-login's current_user
}


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    run("ruff", "check", ".")
    run("ruff", "format", "--check", ".")


def test_mypy_strict_finds_nothing() -> None:
    run("mypy")


def test_nobody_imports_whom_they_may_not() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_node_needs_no_hub_s_libraries() -> None:
    """What a village installs must be enough to open a node."""
    code = (
        "import sys\n"
        "for name in ('sqlalchemy', 'psycopg', 'alembic', 'gunicorn'): sys.modules[name] = None\n"
        "import node.cli, node.app, node.wiring, content_packs.cli\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_demo_needs_nothing_that_only_tests_install() -> None:
    """`make demo` is what somebody tries first, on a machine without what tests need."""
    packages = [
        "requests",
        "pytest",
        "hypothesis",
        "playwright",
        "psutil",
        "duckdb",
        "pyarrow",
        "schemathesis",
    ]
    closed = f"import sys; sys.modules.update(dict.fromkeys({packages})); import bench.demo"
    done = subprocess.run([sys.executable, "-c", closed], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_small_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    tree = ast.parse(text)
    if tree.body:
        assert ast.get_docstring(tree), "a module starts with what it is for"
    for item in ast.walk(tree):
        if isinstance(item, ast.FunctionDef):
            assert (item.end_lineno or 0) - item.lineno < 60, f"{item.name} is too long"


@pytest.mark.parametrize(
    "path",
    [path for path in OWN if path.parent.name in ("sync", "progress") and path.stem not in PURE["sync"]],
    ids=lambda path: path.stem,
)
def test_the_pure_part_of_sync_asks_no_clock_and_no_dice(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"datetime\.now|time\.time|\bimport (random|secrets|socket|os|time)\b|open\(", text
    )


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_come_from_the_vocabulary(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        name
        for item in ast.walk(tree)
        for name in (
            [item.name]
            if isinstance(item, ast.FunctionDef | ast.ClassDef)
            else [item.id]
            if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
            else []
        )
    }
    for name in names:
        for word in AVOIDED.findall(re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("_", " ")):
            allowed = ALLOWED_WORDS.get(word.lower(), set())
            assert path.name in allowed or path.parent.name in allowed, f"{name}: avoid the word {word}"


def test_every_text_has_its_english() -> None:
    current = catalogue.updated("en")
    assert catalogue.missing(current) == []
    path = catalogue.catalogue_path("en")
    assert path.read_bytes() == catalogue.written(current), "run: make texts"
    assert path.with_suffix(".mo").read_bytes() == catalogue.compiled(current), "run: make texts"


def test_docs_name_only_files_that_exist() -> None:
    for document in [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]:
        for name in re.findall(
            r"`((?:sync|node|hub|web|content_packs|docs|tests|bench)/[\w./-]+)`", document.read_text()
        ):
            assert (ROOT / name).exists(), f"{document.name} names {name}"

"""No text for people stands outside gettext.

Templates are read as Jinja's syntax tree: what stands between tags, or in an attribute that people see or hear, comes
from `_()`. Python is read as its own tree: what is flashed, refused, printed or offered as help comes from `_()` or `N_()`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from jinja2 import Environment, nodes

ROOT: Final = Path(__file__).parent.parent.parent
PACKAGES: Final = ("sync", "content_packs", "web", "node", "hub", "courier")
TEMPLATES: Final = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("templates/**/*.html")
)
SCRIPTS: Final = sorted(
    path for place in ("node/static", "node/player", "web/static") for path in (ROOT / place).glob("*.js")
)
MODULES: Final = sorted(
    [
        ROOT / "lontar.py",
        *(
            path
            for package in PACKAGES
            for path in (ROOT / package).rglob("*.py")
            if "versions" not in path.parts
        ),
    ]
)
SEEN_OR_HEARD: Final = {
    "title",
    "alt",
    "aria-label",
    "aria-description",
    "placeholder",
    "label",
    "summary",
    "data-label",
}
NO_WORDS: Final = {"Lontar", "QR", "PIN", "KB", "MB", "GB", "Rp", "JP"}
"""Names, units and short forms that are the same in every language."""
MACHINE_CALLS: Final = {
    "url_for",
    "asset",
    "get_flashed_messages",
    "range",
    "dict",
    "namespace",
    "super",
    "caller",
}
CLASS_BLOCKS: Final = {"width"}
"""Blocks of the base page that stand inside a `class`."""

_MARK: Final = re.compile("\x00(\\d+)\x00")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


# Templates


def words_in(text: str) -> list[str]:
    # What follows an address that is filled in names a place on its page.
    without = _MARK.sub(" ", re.sub("(?<=\x00)#[a-z-]+", " ", text))
    return [word for word in _WORD.findall(without) if word not in NO_WORDS]


def literals(expression: nodes.Node) -> Iterator[str]:
    """The texts that an expression may show as they stand in the template."""
    match expression:
        case nodes.Const(value=str() as text):
            yield text
        case nodes.CondExpr():
            yield from literals(expression.expr1)
            yield from literals(expression.expr2) if expression.expr2 else ()
        case nodes.Concat():
            for one in expression.nodes:
                yield from literals(one)
        case nodes.BinExpr():
            yield from literals(expression.left)
            yield from literals(expression.right)
        case nodes.Filter(name=name) if name.endswith("_word"):
            return  # it takes a code and looks up what people call it
        case nodes.Filter(node=nodes.Node()):
            yield from literals(expression.node)
        case nodes.Call(node=nodes.Name(name=name)) if name not in {
            "_",
            "gettext",
            "ngettext",
            *MACHINE_CALLS,
        }:
            # A piece of page that is given its texts: they begin with a capital, names of classes and fields don't.
            given = [*expression.args, *(keyword.value for keyword in expression.kwargs)]
            yield from (text for one in given for text in literals(one) if re.match(r"[A-Z]\w*[a-z]", text))


class Page(HTMLParser):
    """Finds words that stand in a page as they are; what Jinja fills in is a mark."""

    def __init__(self, shown: list[list[str]]) -> None:
        super().__init__()
        self.shown, self.found, self.silent = shown, [], ""

    found: list[str]

    def look(self, text: str) -> None:
        filled = " ".join(one for mark in _MARK.findall(text) for one in self.shown[int(mark)])
        if words_in(text) or words_in(filled):
            self.found.append(_MARK.sub("…", f"{text} {filled}").strip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "code"):
            self.silent = tag
        given = dict(attrs)
        is_button = tag == "input" and given.get("type") in ("submit", "button", "reset")
        for name, value in attrs:
            if value and (name in SEEN_OR_HEARD or (name == "value" and is_button)):
                self.look(value)

    def handle_endtag(self, tag: str) -> None:
        self.silent = "" if tag == self.silent else self.silent

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.look(data)


def written_out(source: str) -> tuple[str, list[list[str]]]:
    """The page of a template with a mark for each thing that is filled in, and the texts each of them may show."""
    out: list[str] = []
    shown: list[list[str]] = []

    def add(node: nodes.Node) -> None:
        if isinstance(node, nodes.TemplateData):
            out.append(node.data)
        elif isinstance(node, nodes.Expr):
            out.append(f"\x00{len(shown)}\x00")
            shown.append(list(literals(node)))
        elif isinstance(node, nodes.Assign | nodes.Import | nodes.FromImport | nodes.Extends):
            return
        elif not (isinstance(node, nodes.Block) and node.name in CLASS_BLOCKS):
            bodies = [getattr(node, name, None) or [] for name in ("nodes", "body", "elif_", "else_")]
            for child in (child for body in bodies for child in body):
                add(child)

    add(Environment(autoescape=True, extensions=["jinja2.ext.i18n", "jinja2.ext.do"]).parse(source))
    return "".join(out), shown


def hard_coded(source: str) -> list[str]:
    text, shown = written_out(source)
    page = Page(shown)
    page.feed(text)
    page.close()
    return page.found


@pytest.mark.parametrize("path", TEMPLATES, ids=where)
def test_a_template_says_nothing_that_can_t_be_translated(path: Path) -> None:
    assert hard_coded(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Simpan</p>",
        '<a title="Simpan">{{ x }}</a>',
        '<img alt="Buku kas">',
        '<p>{{ "Simpan" if x else _("Hapus") }}</p>',
        '<p>{{ name or "Tanpa nama" }}</p>',
        '<p>{{ "Nama: " ~ name }}</p>',
        '{% if x %}<b>{% else %}Belum ada{% endif %}</b>',
        '{{ field("name", "Nama lengkap") }}',
        '<input type="submit" value="Kirim">',
        '{% block title %}Peserta{% endblock %}',
        '<p>{% for one in all %}{{ one }} dan {% endfor %}</p>',
    ],
)  # fmt: skip
def test_a_text_outside_gettext_is_found(source: str) -> None:
    assert hard_coded(source) != []


@pytest.mark.parametrize(
    "source",
    [
        '<p class="lead">{{ _("Simpan") }} · {{ count|number }}</p>',
        '<a class="{{ "done" if x else "idle" }}" href="{{ url_for("learn.courses") }}" title="{{ _("Simpan") }}">–</a>',
        '{{ field("name", _("Nama"), autocomplete="off", class="pin wide") }}',
        '{% set kind = "Choice" %}{% if x == "Kuis" %}{{ y }}{% endif %}',
        '<p>{{ people|map(attribute="name")|join(", ") }} <code>lontar sync</code></p>',
    ],
)
def test_what_is_no_text_is_left_alone(source: str) -> None:
    assert hard_coded(source) == []


# Python


def refusals() -> set[str]:
    """The names of all our refusals, of every package: what is derived from `LontarError`."""
    bases = {
        item.name: {ast.unparse(base).rpartition(".")[2] for base in item.bases}
        for path in MODULES
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(item, ast.ClassDef)
    }
    found = {"LontarError"}
    while more := {name for name, of in bases.items() if of & found and name not in found}:
        found |= more
    return found


REFUSALS: Final = refusals()
SAYING: Final = {
    "flash",
    "echo",
    "secho",
    "confirm",
    "prompt",
    "ClickException",
    "UsageError",
    "BadParameter",
}
SAID_BY_NAME: Final = {"problem", "happened", "advice", "help", "short_help", "epilog"}


def spoken_bare(value: ast.expr | None) -> bool:
    """Whether an expression is a text as it stands, with words in it."""
    match value:
        case ast.Constant(value=str() as text):
            return bool(words_in(text)) and not re.fullmatch(r"[\w.%:-]+", text)
        case ast.JoinedStr():
            return any(spoken_bare(part) for part in value.values)
        case ast.IfExp():
            return spoken_bare(value.body) or spoken_bare(value.orelse)
        case ast.BinOp():
            return spoken_bare(value.left) or spoken_bare(value.right)
    return False


def bare_texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for item in ast.walk(tree):
        if isinstance(item, ast.Call):
            called = item.func
            name = (
                called.id
                if isinstance(called, ast.Name)
                else called.attr
                if isinstance(called, ast.Attribute)
                else ""
            )
            first = item.args[0] if item.args else None
            if (name in SAYING or name in REFUSALS) and spoken_bare(first):
                yield item.lineno, ast.unparse(item)
            for keyword in item.keywords:
                if keyword.arg in SAID_BY_NAME and spoken_bare(keyword.value):
                    yield item.lineno, f"{keyword.arg}={ast.unparse(keyword.value)}"
        elif isinstance(item, ast.Assign) and spoken_bare(item.value):
            names = {
                one.id for target in item.targets for one in ast.walk(target) if isinstance(one, ast.Name)
            }
            if names & SAID_BY_NAME:
                yield item.lineno, ast.unparse(item)


@pytest.mark.parametrize("path", MODULES, ids=where)
def test_a_module_says_nothing_that_can_t_be_translated(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [f"{line}: {text}" for line, text in bare_texts(tree)] == []


@pytest.mark.parametrize(
    "code",
    [
        'flash("Sudah disimpan.")',
        'flash(f"{name} sudah ditambahkan.")',
        'problem = "Nama tidak boleh kosong."',
        'raise LontarError("Tidak dapat dibuka.")',
        'click.echo("Selesai, tidak ada yang tersisa.")',
        'click.option("--data", help="Folder data.")',
        'render_template("x.html", problem="Tidak ada." if bad else "")',
    ],
)
def test_a_bare_text_in_python_is_found(code: str) -> None:
    assert list(bare_texts(ast.parse(code)))


def test_a_text_that_is_marked_is_no_bare_text() -> None:
    code = 'flash(_("Sudah disimpan."))\nproblem = _("Nama %(n)s kosong.", n=1)\nraise LontarError(N_("Tidak dapat dibuka."))'
    assert list(bare_texts(ast.parse(code))) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=where)
def test_a_script_takes_its_words_from_the_page(path: Path) -> None:
    code = re.sub(r"//.*|/\*.*?\*/", "", path.read_text(encoding="utf-8"))
    for text in re.findall(r'"([^"\n]*)"', code):
        assert not re.search(r"^[A-Z][a-z]+( [a-z]+)+", text), text

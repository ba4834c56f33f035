"""The style keeps its promises: readable contrast, and nothing that Chrome 80 doesn't know; scripts and pages too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import web

ROOT = Path(web.__file__).parent.parent
SOURCE = (Path(web.__file__).parent / "static" / "lontar.css").read_text(encoding="utf-8")
CSS = re.sub(r"/\*.*?\*/", "", SOURCE, flags=re.DOTALL)


def colours_of(selector: str) -> dict[str, str]:
    found = re.search(re.escape(selector) + r"\s*\{([^}]*)\}", CSS)
    assert found
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6});", found[1]))


SOFT = colours_of(":root")
STRONG = {**SOFT, **colours_of(".kontras-kuat")}

TEXT_ON = [
    ("ink", "paper"), ("ink", "sheet"), ("muted", "paper"), ("muted", "sheet"), ("leaf", "paper"), ("leaf", "sheet"),
    ("leaf", "leaf-tint"), ("leaf-deep", "leaf-tint"), ("bark", "paper"), ("bark", "bark-tint"), ("on-dark", "leaf"),
    ("on-dark", "leaf-deep"), ("wrong", "sheet"), ("wrong", "wrong-tint"), ("muted", "line"),
]  # fmt: skip
SHAPES_ON = [
    ("edge", "paper"), ("edge", "sheet"), ("leaf", "paper"), ("gold", "leaf-deep"), ("gold", "leaf"), ("bark", "paper"),
    ("bark", "sheet"), ("bark", "leaf-tint"), ("bark", "bark-tint"), ("wrong", "sheet"), ("leaf", "leaf-tint"),
]  # fmt: skip
"""Edges, marks, and the outline of what has the focus: bark on paper, gold on what is dark."""


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str, colours: dict[str, str] = SOFT) -> float:
    light, dark = sorted((luminance(colours[one]), luminance(colours[other])), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_can_be_read(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_with_strong_contrast_text_is_read_by_everybody(text: str, ground: str) -> None:
    assert contrast(text, ground, STRONG) >= 7


@pytest.mark.parametrize(("shape", "ground"), SHAPES_ON)
def test_edges_can_be_seen(shape: str, ground: str) -> None:
    assert contrast(shape, ground) >= 3
    assert contrast(shape, ground, STRONG) >= 3


def solid(value: str, colours: dict[str, str]) -> str | None:
    """The colour that a declaration gives, if it gives one that hides what is behind it."""
    found = re.match(r"(?:var\(--([a-z-]+)\)|(#[0-9a-f]{6}|#[0-9a-f]{3}))(?![0-9a-f])", value.strip())
    if not found:
        return None
    colour = colours.get(found[1], "") if found[1] else found[2]
    return "#" + "".join(2 * one for one in colour[1:]) if len(colour) == 4 else colour or None


PAINTED = [
    (
        selector.strip().splitlines()[-1],
        dict(re.findall(r"(?:^|;)\s*(color|background(?:-color)?)\s*:\s*([^;]+)", body)),
    )
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", CSS)
]


@pytest.mark.parametrize("look", ["soft", "strong"])
def test_a_rule_that_sets_ink_and_ground_can_be_read(look: str) -> None:
    colours, checked = {"soft": SOFT, "strong": STRONG}[look], 0
    for selector, given in PAINTED:
        ink = solid(given.get("color", ""), colours)
        ground = solid(given.get("background", given.get("background-color", "")), colours)
        if ink and ground and "[disabled]" not in selector:
            checked += 1
            pair = {"ink": ink, "ground": ground}
            assert contrast("ink", "ground", pair) >= 4.5, selector
    assert checked >= 15


NEWER_STYLE = [
    ":is(", ":where(", ":has(", ":focus-visible", "aspect-ratio", "inset:", "inset-", "color-mix", "@layer", "@container",
    "@property", "@scope", "@starting-style", "dvh", "svh", "lvh", "@import", "url(http", "accent-color", "text-wrap",
    "overflow: clip", "content-visibility", "backdrop-filter", "margin-inline:", "padding-inline:", "oklch", "min-block",
    "@supports selector", "light-dark", "field-sizing", "place-items: baseline", "rgb(from", "translate:", "rotate:",
]  # fmt: skip
"""What came to Chrome after version 80 (https://caniuse.com)."""


@pytest.mark.parametrize("newer", NEWER_STYLE)
def test_nothing_is_used_that_chrome_80_lacks(newer: str) -> None:
    assert newer not in CSS


def test_rules_are_not_nested() -> None:
    around: list[str] = []
    for before, sign in re.findall(r"([^{};]*)([{};])", CSS):
        if sign == "{":
            assert not around or around[-1].startswith("@"), f"{before.strip()} in {around[-1]}"
            around.append(before.strip())
        elif sign == "}":
            around.pop()
    assert not around


def test_flex_boxes_have_no_gap() -> None:
    assert not re.search(r"(?<!grid-)(?<!column-)\b(row-)?gap\s*:", CSS)


PROGRAMS = [path for place in ("node", "hub", "courier", "web") for path in (ROOT / place).rglob("*.js")]
PAGES = [path for place in ("node", "hub", "courier", "web") for path in (ROOT / place).rglob("*.html")]

NEWER_SCRIPT = [
    r"\.replaceAll\(", r"\.at\(", r"structuredClone", r"\?\?=", r"\|\|=", r"&&=", r"Object\.hasOwn\(", r"Object\.groupBy",
    r"Promise\.(any|withResolvers)", r"\.findLast", r"\.toSorted\(", r"\.toReversed\(", r"\.replaceChildren\(", r"randomUUID",
    r"AbortSignal\.(timeout|any)", r"WeakRef", r"\.showModal\(", r"\.togglePopover\(", r"\bstatic\s*\{", r"this\.#", r"\bscrollend\b",
    r"(?m)^\s*await ", r"(?m)^\s*(import|export)\b", r"\bimport\(", r"Intl\.(Segmenter|DurationFormat)", r"\.requestSubmit\(\)\.",
]  # fmt: skip
NEWER_PAGE = [
    r"<dialog",
    r"\bpopover\b",
    r"<search\b",
    r"\binert\b",
    r'type="module"',
    r"fetchpriority",
    r"until-found",
]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_script_uses_nothing_that_chrome_80_lacks(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert [newer for newer in NEWER_SCRIPT if re.search(newer, code)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_uses_nothing_that_chrome_80_lacks(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [newer for newer in NEWER_PAGE if re.search(newer, text)] == []
    assert not re.search(r"<[^>]*\sstyle=", text), "the content policy forbids styles in attributes"


def test_the_style_is_small() -> None:
    assert len(CSS.encode()) < 32_000

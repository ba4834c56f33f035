"""The style keeps its promises: readable contrast, and nothing that Chrome 80 doesn't know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import web

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
SHAPES_ON = [("edge", "paper"), ("edge", "sheet"), ("leaf", "paper"), ("gold", "leaf-deep")]


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


@pytest.mark.parametrize(
    "newer",
    [
        ":is(",
        ":where(",
        ":has(",
        "aspect-ratio",
        "inset:",
        "color-mix",
        "@layer",
        "@container",
        "dvh",
        "@import",
        "url(http",
    ],
)
def test_nothing_is_used_that_chrome_80_lacks(newer: str) -> None:
    assert newer not in CSS


def test_flex_boxes_have_no_gap() -> None:
    assert not re.search(r"(?<!grid-)(?<!column-)\bgap\s*:", CSS)


def test_the_style_is_small() -> None:
    assert len(CSS.encode()) < 24_000

"""Square codes as drawings inside a page: no script, no file, no colour that a camera can't read."""

from __future__ import annotations

from markupsafe import Markup

_SCALE, _BORDER = 5, 3


def drawn(text: str, label: str) -> Markup:
    """A code that says `text`, for cameras; `label` says what it is to people who can't see it."""
    # Here, because most laptops that serve pages seldom draw one, and have little memory.
    import segno

    svg = segno.make(text, micro=False, error="m").svg_inline(
        scale=_SCALE, border=_BORDER, light="#fff", title=label
    )
    # Made of our own text alone, which segno escapes.
    return Markup(svg)  # noqa: S704

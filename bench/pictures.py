"""`python -m bench screens`: a small picture of every screen of the village laptop and of the centre, for docs/screens.

Needs chromium, playwright and Pillow. Pictures are made of the product's own pages; nothing is drawn over them.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from bench import screens, screens_centre
from bench.screens import SIZES
from bench.shown_centre import shown_centre
from bench.shown_village import shown_village

FOLDER: Final = Path(__file__).parent.parent / "docs" / "screens"
BYTES_MOST: Final = 60_000
HEIGHTS: Final = (1600, 1200, 900)


def run(folder: Path = FOLDER, only: str = "") -> Iterator[str]:
    """Photograph every screen whose name begins with `only`; yields each name as it is done."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        if wanted := [one for one in screens.SCREENS if one.name.startswith(only)]:
            with shown_village(Path(place) / "desa") as village:
                yield from _drawn(folder, screens.Visitor(chromium, village), wanted)
        if of_centre := [one for one in screens_centre.SCREENS if one.name.startswith(only)]:
            with shown_centre(Path(place) / "pusat") as centre:
                yield from _drawn(folder, screens_centre.Visitor(chromium, centre), of_centre)
        chromium.close()
    if not only:
        (folder / "README.md").write_text(listed(), encoding="utf-8")


def _drawn(folder: Path, visitor: Any, wanted: Iterable[Any]) -> Iterator[str]:
    """Photograph these screens, in a browser that knows where they are."""
    visitor.prepare()
    for screen in wanted:
        for width in SIZES:
            with visitor.open(screen, width) as page:
                (folder / f"{screen.name}-{width}.png").write_bytes(_photograph(page, width))
        yield screen.name


def listed() -> str:
    """The list of all screens with their pictures."""
    lines = [
        "# Semua layar laptop desa dan pusat",
        "",
        "Dibuat dengan `make screens`, dari desa rekaan: semua nama orang di dalamnya karangan. Setiap layar ada dua kali,",
        "selebar ponsel (360 px) dan selebar laptop (1366 px). Layar pusat ada di bawah layar laptop desa.",
    ]
    for role in screens.Role:
        lines += _part(role.value.capitalize(), (one for one in screens.SCREENS if one.role is role))
    for account in screens_centre.Account:
        lines += _part(account.says, (one for one in screens_centre.SCREENS if one.role is account))
    return "\n".join(lines) + "\n"


def _part(title: str, shown: Iterable[Any]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    for screen in shown:
        links = " · ".join(f"[{width}]({screen.name}-{width}.png)" for width in SIZES)
        yield f"- **{screen.name}**: {screen.says} {links}"


def _photograph(page: Any, width: int) -> bytes:
    """A PNG of at most 60 KB: few colours are enough for a page."""
    from PIL import Image

    whole = page.evaluate("document.documentElement.scrollHeight")
    shot = page.screenshot(
        full_page=True, clip={"x": 0, "y": 0, "width": width, "height": min(whole, HEIGHTS[0])}
    )
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    # A page that is too long for its colours is cut off sooner rather than shown in grey.
    for height in HEIGHTS:
        for colours in (64, 32):
            out = io.BytesIO()
            part = picture.crop((0, 0, width, min(picture.height, height)))
            few = part.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            few.save(out, "PNG", optimize=True)
            if out.tell() <= BYTES_MOST:
                return out.getvalue()
    return out.getvalue()

"""Reads a square code from a photo: what the camera of a phone or of this laptop saw of a paper or a screen.

Its libraries are loaded when the first photo comes; where they aren't installed, pages don't offer it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import IO, Final

from node.errors import NodeError
from sync.errors import N_

_SIDE_MOST: Final = 2000
"""A phone's 12 million pixels say no more than these, and take a slow laptop seconds."""
_PIXELS_MOST: Final = 60_000_000
_FORMATS: Final = ("JPEG", "PNG", "WEBP")


def can_read_photos() -> bool:
    return find_spec("zxingcpp") is not None and find_spec("PIL") is not None


def read_square_code(photo: IO[bytes]) -> str:
    """The text of the square code in a photo.

    Raises:
        NodeError: it is no photo, or there is no code to be seen in it.
    """
    import zxingcpp
    from PIL import Image

    try:
        with Image.open(photo, formats=_FORMATS) as opened:
            if opened.width * opened.height > _PIXELS_MOST:
                raise NodeError(N_("Foto ini terlalu besar. Potret ulang dengan ukuran yang lebih kecil."))
            opened.draft("L", (_SIDE_MOST, _SIDE_MOST))
            opened.thumbnail((_SIDE_MOST, _SIDE_MOST))
            picture = opened.convert("L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise NodeError(
            N_("Berkas ini bukan foto yang dapat dibaca. Pakai foto JPEG atau PNG.")
        ) from problem
    only = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    found = zxingcpp.read_barcodes(picture, only)
    if not found:
        raise NodeError(
            N_("Kode QR tidak terlihat di foto ini. Potret lebih dekat, tegak lurus, dan terang.")
        )
    return str(found[0].text)

"""What the members of a pack file are called."""

from typing import Final

MANIFEST_NAME: Final = "manifest.cose"
PIECES: Final = "pieces/"

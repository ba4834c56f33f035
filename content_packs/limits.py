"""Every limit on foreign packs, in one place. Sizes are bytes unless the name says otherwise."""

from typing import Final

PACK: Final = 4 * 1024**3
MANIFEST: Final = 1024 * 1024
PIECE: Final = 4 * 1024 * 1024
FILES: Final = 20_000
LESSONS: Final = 500
QUESTIONS_PER_LESSON: Final = 200
CHOICES: Final = 12
TEXT: Final = 64 * 1024
"""One text in a manifest or lesson: a title, a question, a reading."""
ACTIVITY_PATH: Final = 300
"""Characters of the path of a file in an activity, with the activity's name."""
ENTRY: Final = 1000
EXPANSION: Final = 100
"""How many times larger than its compressed form a piece may be."""
ZSTD_WINDOW: Final = 8 * 1024 * 1024

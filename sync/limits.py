"""Every limit on foreign bytes, in one place. Sizes are bytes unless the name says otherwise.

Senders keep them too: a device never makes what a hub would refuse.
"""

from typing import Final

REQUEST_BODY: Final = 256 * 1024
CONTROL_ITEM: Final = 16 * 1024
SEGMENTS_PER_REQUEST: Final = 128
SEGMENT: Final = 64 * 1024
ENTRIES_PER_SEGMENT: Final = 1024
SEGMENT_RAW: Final = 256 * 1024
ENTRY_FIELDS: Final = 4 * 1024
FIELDS_PER_ENTRY: Final = 64
GROUPS_PER_SEGMENT: Final = 256
NESTING: Final = 8
ZSTD_WINDOW: Final = 1024 * 1024
PROFILE: Final = 2 * 1024
PROFILES_PER_SEGMENT: Final = 128 * 1024
"""Of the profiles that one segment commits to; with the segment they must fit into one request."""
LOGS_PER_REQUEST: Final = 64
SEGMENTS_PER_LOG: Final = 1 << 31
"""So that every database holds an index as a 32-bit number."""
WALL_SECONDS: Final = 1 << 50
"""What a wall clock, however wrong, may say."""

NEIGHBOUR_BODY: Final = 4 * 1024 * 1024
"""Between two laptops of one village on their own network."""

PART: Final = 272 * 1024
"""The sealed inside of a part of a bundle."""
PART_USUAL: Final = 32 * 1024
"""What is aimed at: 8 seconds at 4 KB/s, so that a line that drops every half minute gets parts through."""
PARTS_PER_BUNDLE: Final = 4096
BUNDLE_MANIFEST: Final = 512
"""What a part keeps free for its manifest; a longer one makes the part larger."""

UPLOAD_MIN: Final = 4 * 1024
UPLOAD_START: Final = 64 * 1024
"""First upload size; halved after a drop, doubled after a success, up to REQUEST_BODY."""

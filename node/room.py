"""Room on a small disk: what nobody learns from any more makes way for a new course, and only when it must."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from content_packs.errors import NoSpaceError
from node.wiring import Node

Made = TypeVar("Made")


def with_room(node: Node, act: Callable[[], Made]) -> Made:
    """Do it; if there is no room, free that of versions that nobody learns from, and do it again.

    Raises:
        NoSpaceError: that isn't enough.
    """
    try:
        return act()
    except NoSpaceError:
        if not free_room(node):
            raise
    return act()


def free_room(node: Node) -> int:
    """Take pieces off the disk that only versions need from which nobody learns any more; returns bytes freed.

    Their manifests stay, so what was learned in them still counts.
    """
    versions, on_lists = node.learning.versions()
    needed, unneeded = set[bytes](), set[bytes]()
    for one in versions:
        pieces = {digest for file in one.manifest.files for digest in file.pieces}
        if one.pack in on_lists:
            needed |= pieces
        else:
            unneeded |= pieces
    return node.packs.forget(unneeded - needed)

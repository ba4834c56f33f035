"""What a browser calls itself, in the words of people who look for a place where they are logged in."""

from __future__ import annotations

from typing import Final

_PROGRAMS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "Mac"), ("Linux", "Linux"),
)  # fmt: skip
"""What each says of itself, the more special before what it also says."""


def browser_name(user_agent: str) -> str:
    """Such as "Firefox, Windows"; "" if it says nothing known."""
    parts = (
        next((name for mark, name in known if mark in user_agent), "") for known in (_PROGRAMS, _SYSTEMS)
    )
    return ", ".join(part for part in parts if part)

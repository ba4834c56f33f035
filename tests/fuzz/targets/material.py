"""What the importers' tests import, as bytes to begin from: one place makes such files, and it is theirs."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parent.parent.parent


def of(module: str, name: str) -> Any:
    """Something that a module of tests/content_packs made."""
    for folder in (_TESTS / "content_packs", _TESTS / "content_packs" / "importers"):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    return getattr(import_module(module), name)

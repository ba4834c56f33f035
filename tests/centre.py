"""A hub for tests: a real one on SQLite in a folder, which knows the regions of one regency."""

from __future__ import annotations

import atexit
import functools
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Final

from hub import config, db, operators, regions
from hub.wiring import Hub, open_hub
from sync.keys import RandomBytes

REGENCY: Final = "17.05"
PASSWORD: Final = "kata-sandi-panjang"


def made_hub(folder: Path, random_bytes: RandomBytes = secrets.token_bytes) -> Hub:
    """An opened, empty hub with keys of its own and the account `operator`."""
    config.create(folder, None, random_bytes)
    shutil.copy(_empty_database(), folder / "hub.db")
    return open_hub(folder)


def fill(url: str) -> None:
    """Give a new database what `lontar hub init` gives it: tables, regions, an operator."""
    engine = db.open_engine(url)
    db.upgrade(engine)
    regions.load(engine, REGENCY)
    operators.set_password(engine, "operator", PASSWORD)
    engine.dispose()


@functools.cache
def _empty_database() -> Path:
    """Made once a process and copied: making each anew would take most of the time of many tests."""
    folder = Path(tempfile.mkdtemp(prefix="lontar-hub-"))
    atexit.register(shutil.rmtree, folder)
    fill(f"sqlite:///{folder / 'hub.db'}")
    return folder / "hub.db"

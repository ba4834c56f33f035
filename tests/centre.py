"""A hub for tests: a real one on SQLite in a folder, which knows the regions of one regency."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from hub import config, db, operators, regions
from hub.wiring import Hub, open_hub

REGENCY: Final = "17.05"
PASSWORD: Final = "kata-sandi-panjang"


def made_hub(folder: Path) -> Hub:
    """An opened, empty hub with the account `operator`."""
    made = config.create(folder, None, secrets.token_bytes)
    engine = db.open_engine(made.database_url)
    db.upgrade(engine)
    regions.load(engine, REGENCY)
    operators.set_password(engine, "operator", PASSWORD)
    engine.dispose()
    return open_hub(folder)

"""Puts a hub together from its data folder: the one place where the parts are made."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from hub.config import Config, load
from hub.db import open_engine, refuse_newer
from hub.endpoint import Endpoint
from hub.intake import Intake


def now_ms() -> int:
    """The hub's clock, which it signs into receipts. Keep it right (NTP)."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Hub:
    """Everything that the pages and commands of one hub need."""

    config: Config
    engine: Engine
    intake: Intake
    copy: Engine | None = None
    """Of the database that follows this one, if there is such a one."""

    @property
    def reader(self) -> Engine:
        """For whoever reads much and may be some seconds behind: programs, exports."""
        return self.copy or self.engine

    def close(self) -> None:
        self.engine.dispose()
        if self.copy is not None:
            self.copy.dispose()


def open_hub(data: Path) -> Hub:
    """Open the hub in `data`.

    Raises:
        HubError: there is none, or it can't be opened; the sentence says what to do.
    """
    config = load(data)
    engine = open_engine(config.database_url)
    refuse_newer(engine)
    copy = open_engine(config.database_read_url) if config.database_read_url else None
    return Hub(config, engine, Intake(engine, config, now_ms), copy)


def application(data: str) -> Any:
    """The whole hub as one WSGI application; gunicorn calls this in every worker."""
    from hub import catching_up
    from hub.app import create_app

    hub = open_hub(Path(data))
    # A worker is often started because another one was killed in the midst of something.
    at_start = threading.Thread(
        target=catching_up.at_start, args=(hub.engine, hub.config, now_ms()), daemon=True
    )
    at_start.start()
    return Endpoint(hub.intake, create_app(hub).wsgi_app)

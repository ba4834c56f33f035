"""Runs the hub under gunicorn from the command line. Threads, because uploads over 2G take minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from hub.wiring import application


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, data: Path, options: dict[str, Any]) -> None:
        self._data = data
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return application(str(self._data))


def run(data: Path, host: str, port: int, workers: int) -> None:
    """Serve until stopped."""
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": 16,
        "timeout": 120,
        "keepalive": 15,
        "proc_name": "lontar-hub",
        "loglevel": "warning",
    }
    _Server(data, options).run()

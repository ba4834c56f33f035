"""Runs the hub under gunicorn from the command line. Threads, because uploads over 2G take minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from gunicorn.app.base import BaseApplication

from hub.log_lines import JsonLogger
from hub.uploads import UPLOADS_MOST
from hub.wiring import application

PLAIN: Final = "plain"
JSON: Final = "json"


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


def run(data: Path, host: str, port: int, workers: int, log: str = PLAIN) -> None:
    """Serve until stopped. Sockets that systemd hands over (LISTEN_FDS) come before `host` and `port`."""
    options: dict[str, Any] = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        # Some are left for pages, and to say to whom there is no room for.
        "threads": UPLOADS_MOST + 16,
        "timeout": 120,
        # Who is uploading when the hub is told to stop may come to an end.
        "graceful_timeout": 60,
        "keepalive": 15,
        "proc_name": "lontar-hub",
        "loglevel": "warning",
    }
    if log == JSON:
        options |= {"logger_class": JsonLogger, "accesslog": "-", "loglevel": "info"}
    _Server(data, options).run()

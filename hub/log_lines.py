"""What this hub writes into its log as JSON, a line each, for what gathers the logs of many machines.

A path in it says which page was asked for and never about whom: of an address only what stands in every such address
is written, besides codes of regions and numbers of rows. What follows a question mark isn't written at all.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import Flask, request
from gunicorn.glogging import Logger

SHOWN: Final = "lontar.path"
"""Where in the environment of a request the path stands as it may be written down."""

_UNKNOWN: Final = "?"
_REGION: Final = re.compile(r"[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?")
_PLACE: Final = re.compile(r"<(?:[^<>:]+:)?([^<>]+)>")
_DETAIL: Final = re.compile(r"^DETAIL: .*\n?", re.MULTILINE)
"""Where PostgreSQL repeats the values of a row."""
_FIELDS: Final = "lontar_fields"


class Lines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC)
        said: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "pid": os.getpid(),
        }
        said |= getattr(record, _FIELDS, {})
        if record.exc_info:
            said["trace"] = _DETAIL.sub("", self.formatException(record.exc_info))
        return json.dumps(said, ensure_ascii=False, default=str)


class JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines and those of requests; everything goes to stderr."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
        for log in (logging.getLogger(), self.error_log, self.access_log):
            for way_out in log.handlers:
                way_out.setFormatter(Lines())
                if isinstance(way_out, logging.StreamHandler):
                    way_out.setStream(sys.stderr)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Write down one request that was answered."""
        fields = {
            "method": environ.get("REQUEST_METHOD", _UNKNOWN),
            "path": environ.get(SHOWN, _UNKNOWN),
            "status": int(str(resp.status).split(None, 1)[0]),
            "ms": request_time // timedelta(milliseconds=1),
            "bytes": getattr(resp, "sent", 0),
        }
        self.access_log.info("request", extra={_FIELDS: fields})


def prepare(app: Flask) -> None:
    """Let requests for `app`'s pages say what may be written down about them."""

    @app.before_request
    def note() -> None:
        request.environ[SHOWN] = shown_path()


def shown_path() -> str:
    """The address of the page that is asked for, without what tells about whom."""
    rule = request.url_rule
    if rule is None:
        return _UNKNOWN
    told = request.view_args or {}

    def filled(place: re.Match[str]) -> str:
        value = told.get(place[1])
        is_harmless = isinstance(value, int) or _REGION.fullmatch(str(value))
        return str(value) if is_harmless else f"<{place[1]}>"

    return _PLACE.sub(filled, rule.rule)

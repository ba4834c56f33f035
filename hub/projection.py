"""What comes behind every intake: merging, certificates that are due, sums. Each step can be late, none can be lost: what
a step leaves undone is found again by the next one, or by `catching_up`.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Engine

from hub import certificates, figures, merge
from hub.config import Config


def project(engine: Engine, config: Config, logs: Collection[int], now_ms: int) -> None:
    """Bring the tables that operators read up to date with what was just stored of these logs."""
    for log_pk in logs:
        merge.merge_log(engine, log_pk)
    certificates.issue_due(engine, config, logs, now_ms)
    figures.keep_up(engine)

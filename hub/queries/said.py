"""What this hub has said in one scope, with when, the newest first."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from hub import downlink
from sync.decisions import HubLogOpened, read_decision
from sync.entries import Kind


@dataclass(frozen=True, slots=True)
class Said:
    """One decision. `hub_ms` is None while it waits for the first device of its scope to ask."""

    kind: Kind
    hub_ms: int | None


def in_scope(connection: Connection, scope: str) -> list[Said]:
    opened_ms = 0
    found = []
    for entry in downlink.decisions(connection, scope):
        decision = read_decision(entry)
        if isinstance(decision, HubLogOpened):
            opened_ms = decision.hub_ms
        elif decision is not None:
            found.append(Said(decision, None if entry.seq < 0 else opened_ms + entry.t))
    return found[::-1]

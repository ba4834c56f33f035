"""How this hub does, as figures for Prometheus in its text format 0.0.4.

All come from the database and none from the process, so that every worker on every machine says the same; a fixed number
of statements, none of which reads what devices sent. Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, func, select

from hub import audit, ledger, overview, schema
from hub.queries import alerts, bundles, said

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_STATES: Final = {
    schema.GAP: "gap",
    schema.STORED: "stored",
    schema.MERGED: "merged",
    schema.UNREADABLE: "unreadable",
    schema.QUARANTINED: "quarantined",
}
_s: Final = schema.segments.c


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its values by the word that tells them apart, or a single one under ""."""

    name: str
    about: str
    values: dict[str, float]
    label: str = ""


def figures(connection: Connection, now_ms: int) -> list[Figure]:
    """Everything that is told. Times are seconds since 1970, ages seconds."""
    return [
        Figure("lontar_hub_devices", "Devices by state.", _devices(connection), "state"),
        Figure("lontar_hub_entries", "Entries held, by state.", _entries(connection), "state"),
        *_lag(connection, now_ms),
        Figure("lontar_hub_last_intake_seconds", "When the newest segment came.", _last_intake(connection)),
        Figure(
            "lontar_hub_bundles_overdue",
            "Bundles that were seen on the road and are overdue.",
            {"": ledger.count(connection, bundles.within_ledger("", bundles.OVERDUE, now_ms))},
        ),
        Figure("lontar_hub_alerts_open", "Alerts by kind.", alerts.count_by_kind(connection), "kind"),
        Figure("lontar_hub_audit_entries", "Acts of operators.", {"": said.count(connection, audit.SCOPE)}),
    ]


def as_text(shown: Iterable[Figure]) -> str:
    """As Prometheus reads it. Labels are words of ours and need no escaping."""
    lines: list[str] = []
    for figure in shown:
        lines += (f"# HELP {figure.name} {figure.about}", f"# TYPE {figure.name} gauge")
        for word, value in figure.values.items():
            label = f'{{{figure.label}="{word}"}}' if figure.label else ""
            lines.append(f"{figure.name}{label} {value}")
    return "\n".join(lines) + "\n"


def _devices(connection: Connection) -> dict[str, float]:
    state = schema.devices.c.state
    query = select(state, func.count().label("devices")).group_by(state).order_by(state)
    found = {row.state: row.devices for row in connection.execute(query)}
    return {"registered": 0, "waiting": 0} | found


def _entries(connection: Connection) -> dict[str, float]:
    found = overview.entries_held(connection)
    return {word: found.get(state, 0) for state, word in _STATES.items()}


def _lag(connection: Connection, now_ms: int) -> Sequence[Figure]:
    """How far projections are behind what was taken in."""
    is_waiting = and_(_s.state == schema.STORED, _s.branch.is_not(None))
    query = select(func.count(), func.min(_s.received_ms)).where(is_waiting)
    count, oldest_ms = connection.execute(query).one()
    stale = connection.execute(select(func.count()).select_from(schema.stale_villages)).scalar_one()
    age = 0.0 if oldest_ms is None else max(0, now_ms - oldest_ms) / 1000
    return (
        Figure("lontar_hub_projection_waiting_segments", "Stored and not merged yet.", {"": count}),
        Figure("lontar_hub_projection_lag_seconds", "Age of the oldest of them.", {"": age}),
        Figure("lontar_hub_villages_stale", "Whose sums are added up anew.", {"": stale}),
    )


def _last_intake(connection: Connection) -> dict[str, float]:
    newest = select(_s.received_ms).order_by(schema.segments.c.pk.desc()).limit(1)
    last_ms = connection.execute(newest).scalar()
    return {} if last_ms is None else {"": last_ms / 1000}

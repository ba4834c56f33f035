"""The few figures that say how the hub is doing, for the command line and the first page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from hub import figures as sums
from hub import schema
from hub.queries import alerts, regions
from sync.errors import N_


def figures(connection: Connection) -> list[tuple[str, int]]:
    """(label to be translated, number) in the order in which people ask."""
    s, d, f = schema.segments.c, schema.devices.c, schema.village_figures.c
    anew = sums.counted_anew()

    def one(query: Any) -> int:
        return int(connection.execute(query).scalar() or 0)

    devices: dict[str, int] = dict(
        connection.execute(select(d.state, func.count()).group_by(d.state)).all()
    )
    summed = select(func.sum(f.learners), func.sum(f.completions), func.sum(f.entries))
    learners, completed, merged = connection.execute(summed.where(sums.is_summed(f.village))).one()
    odd = select(s.state, func.sum(s.count)).where(s.state != schema.MERGED).group_by(s.state)
    entries = {state: int(count) for state, count in connection.execute(odd)}
    entries[schema.MERGED] = int(merged or 0) + one(regions.merged_anew())
    received = sum(entries.get(state, 0) for state in (schema.STORED, schema.MERGED, schema.UNREADABLE))
    anew_completed = regions.completions(anew).subquery()
    return [
        (N_("Perangkat terdaftar"), devices.get("registered", 0)),
        (N_("Perangkat menunggu persetujuan"), devices.get("waiting", 0)),
        (N_("Peserta"), int(learners or 0) + one(select(func.count(anew.c.person.distinct())))),
        (
            N_("Pelatihan diselesaikan"),
            int(completed or 0) + one(select(func.count()).select_from(anew_completed)),
        ),
        (N_("Catatan diterima"), received),
        (N_("Catatan digabungkan"), entries[schema.MERGED]),
        (N_("Catatan menunggu bagian yang hilang"), entries.get(schema.GAP, 0)),
        (N_("Catatan dikarantina"), entries.get(schema.QUARANTINED, 0)),
        (N_("Peringatan"), alerts.count(connection)),
    ]

"""The few figures that say how the hub is doing, for the command line and the first page."""

from __future__ import annotations

from sqlalchemy import Connection, FromClause, func, select

from hub import schema
from hub.queries import alerts, regions
from sync.errors import N_


def figures(connection: Connection) -> list[tuple[str, int]]:
    """(label to be translated, number) in the order in which people ask."""
    s, d = schema.segments, schema.devices

    def entries(*states: int) -> int:
        query = select(func.coalesce(func.sum(s.c.count), 0)).where(s.c.state.in_(states))
        return int(connection.execute(query).scalar_one())

    def devices(state: str) -> int:
        query = select(func.count()).select_from(d).where(d.c.state == state)
        return int(connection.execute(query).scalar_one())

    def rows(table: FromClause) -> int:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())

    return [
        (N_("Perangkat terdaftar"), devices("registered")),
        (N_("Perangkat menunggu persetujuan"), devices("waiting")),
        (N_("Peserta"), rows(select(schema.learners.c.person).distinct().subquery())),
        (N_("Pelatihan diselesaikan"), rows(regions.completions().subquery())),
        (N_("Catatan diterima"), entries(schema.STORED, schema.MERGED, schema.UNREADABLE)),
        (N_("Catatan digabungkan"), entries(schema.MERGED)),
        (N_("Catatan menunggu bagian yang hilang"), entries(schema.GAP)),
        (N_("Catatan dikarantina"), entries(schema.QUARANTINED)),
        (N_("Peringatan"), alerts.count(connection)),
    ]

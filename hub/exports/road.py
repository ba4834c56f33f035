"""Tables of what comes in and by whom: devices, alerts, bundles, couriers."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from hub import couriers, ledger
from hub.exports.tables import PLACE, ROWS, Asked, Column, Form, Key, Page, Table, last_of, place
from hub.ledger import LedgerRow
from hub.queries import alerts, bundles, devices, regions
from hub.queries.alerts import AlertRow
from hub.views.words import ALERTS as ALERT_WORDS
from hub.views.words import BUNDLES as BUNDLE_WORDS
from hub.views.words import COURIERS as COURIER_WORDS
from hub.views.words import OVER, STATES
from sync.errors import N_


def _devices(connection: Connection, asked: Asked, after: Key) -> Page:
    state = asked.state if asked.state in STATES else ""
    rows = devices.following(connection, asked.region, state, asked.now_ms, after or 0, ROWS)
    names = regions.names(connection, {row.village for row in rows})
    return Page(
        [
            (
                row.device.hex(),
                *place(names, row.village),
                STATES[devices.SILENT if row.is_silent(asked.now_ms) else row.state],
                row.registered_ms,
                row.heard_ms,
                None if row.clock_off_ms is None else round(row.clock_off_ms / 60_000),
                row.held.merged,
                row.held.stored,
                row.held.gap,
                row.held.unreadable,
                row.held.quarantined,
            )
            for row in rows
        ],
        last_of(rows, ROWS, lambda row: row.pk),
    )


DEVICES: Final = Table(
    "perangkat",
    N_("Perangkat"),
    (
        Column(N_("Perangkat")),
        *PLACE,
        Column(N_("Keadaan"), Form.WORD),
        Column(N_("Terdaftar"), Form.MOMENT),
        Column(N_("Kontak terakhir"), Form.MOMENT),
        Column(N_("Selisih jam (menit)"), Form.NUMBER),
        Column(N_("Catatan digabungkan"), Form.NUMBER),
        Column(N_("Catatan menunggu digabungkan"), Form.NUMBER),
        Column(N_("Catatan menunggu bagian yang hilang"), Form.NUMBER),
        Column(N_("Catatan tidak terbaca"), Form.NUMBER),
        Column(N_("Catatan dikarantina"), Form.NUMBER),
    ),
    _devices,
)


def _alerts(connection: Connection, asked: Asked, after: Key) -> Page:
    rows = alerts.following(connection, "", asked.state != OVER, after or 0, ROWS)
    names = regions.names(connection, {row.village for row in rows})
    return Page(
        [
            (
                ALERT_WORDS[row.kind][0],
                _stage(row),
                row.first_ms,
                row.device.hex(),
                *place(names, row.village),
                row.handled_ms,
                row.handled_by,
            )
            for row in rows
        ],
        last_of(rows, ROWS, lambda row: row.pk),
    )


def _stage(row: AlertRow) -> str:
    if row.is_open:
        return N_("Terbuka")
    return N_("Ditangani") if row.handled_ms is not None else N_("Selesai sendiri")


ALERTS: Final = Table(
    "peringatan",
    N_("Peringatan"),
    (
        Column(N_("Peringatan"), Form.WORD),
        Column(N_("Keadaan"), Form.WORD),
        Column(N_("Tercatat sejak"), Form.MOMENT),
        Column(N_("Perangkat")),
        *PLACE,
        Column(N_("Ditangani"), Form.MOMENT),
        Column(N_("Oleh")),
    ),
    _alerts,
    names_people=True,
)


def _bundles(connection: Connection, asked: Asked, after: Key) -> Page:
    state = asked.state if asked.state in BUNDLE_WORDS else ""
    which = bundles.within_ledger(asked.region, state, asked.now_ms)
    rows = ledger.after(connection, which, after or b"", ROWS)
    names = regions.names(connection, {row.village for row in rows})
    return Page(
        [
            (
                row.bundle.hex(),
                *place(names, row.village),
                bytes(row.device or b"").hex(),
                row.noted_ms,
                row.parts or None,
                row.received,
                BUNDLE_WORDS[_way(row, asked.now_ms)],
                row.complete_ms,
                ", ".join(row.couriers),
            )
            for row in rows
        ],
        last_of(rows, ROWS, lambda row: row.bundle),
    )


def _way(row: LedgerRow, now_ms: int) -> str:
    if row.complete_ms is not None:
        return bundles.ARRIVED
    return bundles.OVERDUE if row.is_overdue(now_ms) else bundles.UNDER_WAY


BUNDLES: Final = Table(
    "buku-kiriman",
    N_("Buku kiriman"),
    (
        Column(N_("Kiriman")),
        *PLACE,
        Column(N_("Perangkat")),
        Column(N_("Tercatat sejak"), Form.MOMENT),
        Column(N_("Jumlah bagian"), Form.NUMBER),
        Column(N_("Bagian yang tiba"), Form.NUMBER),
        Column(N_("Keadaan"), Form.WORD),
        Column(N_("Tiba"), Form.MOMENT),
        Column(N_("Petugas")),
    ),
    _bundles,
    names_people=True,
)


def _couriers(connection: Connection, asked: Asked, after: Key) -> Page:
    """All at once: there are about as many as districts."""
    rows = couriers.listed(connection)
    names = regions.names(connection, {row.region for row in rows})
    return Page(
        [
            (
                row.name,
                names.by_code.get(row.region, ""),
                row.region,
                COURIER_WORDS[row.state],
                row.made_ms,
                row.last_contact_ms,
            )
            for row in rows
        ],
        None,
    )


COURIERS: Final = Table(
    "petugas",
    N_("Petugas pembawa data"),
    (
        Column(N_("Petugas")),
        Column(N_("Wilayah")),
        Column(N_("Kode wilayah")),
        Column(N_("Keadaan"), Form.WORD),
        Column(N_("Dibuat"), Form.MOMENT),
        Column(N_("Kontak terakhir"), Form.MOMENT),
    ),
    _couriers,
    names_people=True,
)

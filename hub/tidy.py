"""What a hub need not keep, by rules, and takes away on demand. Never what devices sent: segments stay for good.

Every table is emptied by the module that owns it; here stands only what is old enough. Without being told to do it, all
is done in a transaction that is taken back, so that the counts are true.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine

from hub import alerts, invitations, packs, registry
from hub.config import Config
from hub.db import reading, writing
from hub.views import guesses, sittings
from sync.errors import N_

_DAY_MS: Final = 24 * 3600 * 1000
PACK_DAYS: Final = 30
"""So long whoever has begun to fetch a version that another has replaced may go on."""


class _TakenBack(Exception):  # noqa: N818 - not an error
    """Ends a transaction that was only for counting."""


def tidy(engine: Engine, config: Config, now_ms: int, is_done: bool) -> list[tuple[str, int]]:
    """(label to be translated, number) of what goes, or would go if not `is_done`.

    Raises:
        BusyError: the database can't be written to now; nothing was taken away.
    """
    counts: list[tuple[str, int]] = []
    try:
        with writing(engine) as connection:
            before_ms = now_ms - config.keep_alerts_days * _DAY_MS
            counts += [
                (N_("Undangan yang lewat"), invitations.forget_expired(connection, now_ms)),
                (N_("Kode pendaftaran yang lewat"), registry.forget_expired_codes(connection, now_ms)),
                (N_("Percobaan masuk yang lama"), guesses.forget_old(connection, now_ms)),
                (N_("Sesi masuk yang berakhir"), sittings.forget_ended(connection, now_ms)),
                (N_("Peringatan lama yang ditangani"), alerts.forget_handled(connection, before_ms)),
            ]
            if not is_done:
                raise _TakenBack
    except _TakenBack:
        pass
    store = packs.store_of(config)
    with reading(engine) as connection:
        old = packs.superseded(connection, store, now_ms - PACK_DAYS * _DAY_MS)
    counts.append((N_("Versi lama pelatihan"), len(old)))
    if is_done:
        counts.append((N_("Bita paket yang dibebaskan"), store.remove(old)))
    return counts

"""What is saved here, what has been sent, what the centre has confirmed. Open to everyone at the laptop."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from node.desk import desk
from node.trust import pinned_keyset
from node.visits import list_written
from sync import words
from sync.keys import fingerprint, key_id
from web.languages import gettext as _

blueprint = Blueprint("sync_state", __name__)


@blueprint.get("/sinkronisasi")
def show() -> ResponseReturnValue:
    node = desk().node
    state, keyset = node.worker.state(), pinned_keyset(node.store)
    return render_template(
        "sync.html",
        state=state,
        hub_url=node.worker.hub_url,
        device=key_id(node.config.device_key.public),
        error=state.error.sentence(_) if state.error else "",
        alerts=[_(alert) for alert in state.alerts],
        root=None if keyset is None else fingerprint(keyset.root),
        root_words=() if keyset is None else words.words_of(keyset.root),
        written=list_written(node),
    )


@blueprint.post("/sinkronisasi")
def sync_now() -> ResponseReturnValue:
    desk().node.worker.sync_soon()
    flash(
        _("Sinkronisasi dimulai. Anda boleh terus belajar; muat ulang halaman ini untuk melihat hasilnya.")
    )
    return redirect(url_for("sync_state.show"))

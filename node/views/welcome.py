"""The first page after the wizard: the operator is logged in, sees how the registration goes, and what to do next."""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node.desk import at_the_laptop, begin_sitting, desk, for_operator
from node.lan import own_addresses
from node.learners import OPERATOR
from node.trust import pinned_keyset
from sync import words
from web.languages import gettext as _

PATH: Final = "/operator/mulai"
_TICKET: Final = "WELCOME_TICKET"

blueprint = Blueprint("welcome", __name__, url_prefix=PATH)


def path_for_once(pages: Flask) -> str:
    """The path by which the browser that finished the wizard enters as operator; it opens once, at this laptop."""
    pages.config[_TICKET] = secrets.token_urlsafe(32)
    return f"{PATH}/{pages.config[_TICKET]}"


@blueprint.get("/<ticket>")
def enter(ticket: str) -> ResponseReturnValue:
    expected = current_app.config.get(_TICKET)
    if not (expected and at_the_laptop() and hmac.compare_digest(ticket.encode(), expected.encode())):
        abort(404)
    current_app.config[_TICKET] = None
    begin_sitting(OPERATOR)
    return redirect(url_for("welcome.show"))


@blueprint.get("")
@for_operator
def show() -> ResponseReturnValue:
    node = desk().node
    state, keyset = node.worker.state(), pinned_keyset(node.store)
    port = request.host.rpartition(":")[2] if ":" in request.host else "80"
    return render_template(
        "welcome.html",
        hub_url=node.worker.hub_url,
        state=state,
        is_trying=state.running or node.worker.is_about_to_try(),
        error=state.error.sentence(_) if state.error else "",
        root_words=() if keyset is None else words.words_of(keyset.root),
        addresses=[f"http://{address}:{port}" for address in own_addresses()],
    )

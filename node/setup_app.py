"""`create_setup_app` makes the wizard of the first day: a web application of its own, for the laptop's own browser only.

It knows no node, because there is none yet; `node/setup.py` keeps what is answered and makes the node at the end.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue

from node.desk import at_the_laptop
from node.photo import can_read_photos
from node.setup import STEPS, Setup
from node.views import setup as pages
from sync.machine import Machine
from web.app import prepare

BODY_MOST: Final = 12 * 1024 * 1024
"""A photo as a phone makes it."""


def create_setup_app(setup: Setup) -> Flask:
    app = Flask(__name__)
    app.config.from_mapping(
        # Forms of an earlier run of the wizard are told to be old, which is what they are.
        SECRET_KEY=Machine().random_bytes(32),
        SESSION_COOKIE_NAME="lontar_setup",
        ZONE="WIB",
        MAX_CONTENT_LENGTH=BODY_MOST,
    )
    app.before_request(_only_at_the_laptop)
    prepare(app)
    app.extensions[pages.EXTENSION] = setup
    app.register_blueprint(pages.blueprint)
    app.context_processor(
        lambda: {
            "steps": STEPS,
            "is_answered": setup.is_answered,
            "answers": setup.answers,
            "can_read_photos": can_read_photos(),
        }
    )
    return app


def _only_at_the_laptop() -> ResponseReturnValue | None:
    if at_the_laptop() or (request.endpoint or "").endswith("static"):
        return None
    return render_template("setup_elsewhere.html"), 403

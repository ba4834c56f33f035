"""`create_app` makes the officer's pages. They are for this laptop only: no log-in, no other address."""

from __future__ import annotations

from flask import Flask

from courier import views
from courier.desk import Desk
from courier.worker import Worker
from sync.drives import drives
from web.app import prepare


def create_app(desk: Desk, worker: Worker, plugged_in: views.PluggedIn = drives) -> Flask:
    """The desk stays the caller's; `plugged_in` tells which sticks there are."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY=desk.config.session_secret,
        SESSION_COOKIE_NAME="lontar_courier",
        ZONE=desk.config.settings.zone,
        ALLOWED_HOSTS=("127.0.0.1", "localhost"),
    )
    prepare(app)
    views.prepare(app, desk, worker, plugged_in)
    return app

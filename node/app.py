"""`create_app` makes the village laptop's web application out of an opened node."""

from __future__ import annotations

from flask import Flask

from node import desk
from node.views import learn, learner, operator, quiz, sync_state
from node.wiring import Node
from web.app import prepare


def create_app(node: Node) -> Flask:
    """The pages of one village. The node stays the caller's to close."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY=node.config.session_secret,
        SESSION_COOKIE_NAME="lontar_node",
        ZONE=node.config.settings.zone,
        VILLAGE=node.config.village_name or node.config.village,
    )
    prepare(app)
    desk.prepare(app, node)
    for view in (learner, learn, quiz, sync_state, operator):
        app.register_blueprint(view.blueprint)
    return app

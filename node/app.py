"""`create_app` makes the village laptop's web application out of an opened node."""

from __future__ import annotations

from flask import Flask

from node import cookies, desk
from node.views import learn, learner, neighbour, news, operator, packs, quiz, sticks, sync_state, unlock
from node.visits import Visits
from node.wiring import Node
from web.app import prepare


def create_app(node: Node, visits: Visits | None = None) -> Flask:
    """The pages of one village. The node stays the caller's to close; `visits` are how sticks are used.

    Activities are played where `PLAYER_PORT` says; see `player_app.create_player_app`, which serves them.
    """
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY=node.config.session_secret,
        SESSION_COOKIE_NAME="lontar_node",
        ZONE=node.config.settings.zone,
        VILLAGE=node.config.village_name or node.config.village,
        PLAYER_PORT=None,
    )
    prepare(app)
    desk.prepare(app, node, visits)
    cookies.prepare(app)
    for view in (learner, learn, quiz, sync_state, operator, packs, unlock, sticks, news):
        app.register_blueprint(view.blueprint)
    app.register_blueprint(neighbour.blueprint)
    app.extensions["csrf"].exempt(neighbour.blueprint)
    return app

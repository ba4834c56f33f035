"""`create_app` makes the village laptop's web application out of an opened node."""

from __future__ import annotations

from flask import Flask

from node import cookies, desk, illustrated
from node.views import (
    backups,
    certificates,
    checks,
    class_view,
    device,
    hub_address,
    large_forms,
    learn,
    learner,
    many_learners,
    neighbour,
    news,
    operator,
    packs,
    quiz,
    sticks,
    sync_state,
    unlock,
    welcome,
)
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
    large_forms.prepare(app)
    prepare(app)
    desk.prepare(app, node, visits)
    illustrated.prepare(app)
    cookies.prepare(app)
    for view in (learner, learn, quiz, sync_state, operator, packs, unlock, sticks, news):
        app.register_blueprint(view.blueprint)
    for view in (certificates, checks, class_view, many_learners):
        app.register_blueprint(view.blueprint)
    for view in (hub_address, welcome):
        app.register_blueprint(view.blueprint)
    for view in (device, backups):
        app.register_blueprint(view.blueprint)
    app.register_blueprint(neighbour.blueprint)
    app.extensions["csrf"].exempt(neighbour.blueprint)
    return app

"""`create_app` makes the centre's pages out of an opened hub.

`LONTAR_HUB_HOSTS` names the hosts under which the pages may be opened (space between); without it only
this machine's own names and literal addresses are. Behind TLS the cookies are marked Secure.
"""

from __future__ import annotations

import os

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from hub.api.app import PATH, create_api
from hub.views import (
    accounts,
    acts,
    alerts,
    announcements,
    api_docs,
    api_keys,
    bundles,
    certificates,
    codes,
    couriers,
    courses,
    desk,
    devices,
    enter,
    learners,
    more,
    overview,
    own,
    pack,
    packs,
    regions,
    sticks,
    words,
)
from hub.wiring import Hub
from web.app import prepare


def create_app(hub: Hub) -> Flask:
    """The operators' pages, and beside them the read API. The hub stays the caller's to close."""
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(
        SECRET_KEY=hub.config.session_secret,
        SESSION_COOKIE_NAME="lontar_hub",
        ALLOWED_HOSTS=tuple(os.environ.get("LONTAR_HUB_HOSTS", "").split()),
    )
    sticks.prepare(app)
    packs.prepare(app)
    prepare(app)
    desk.prepare(app, hub)
    words.prepare(app)
    for view in (enter, overview, regions, learners, courses, devices, codes, alerts):
        app.register_blueprint(view.blueprint)
    for view in (
        sticks,
        bundles,
        couriers,
        announcements,
        packs,
        pack,
        certificates,
        accounts,
        own,
        acts,
        more,
    ):
        app.register_blueprint(view.blueprint)
    for view in (api_keys, api_docs):
        app.register_blueprint(view.blueprint)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {PATH: create_api(hub).wsgi_app})  # type: ignore[method-assign]
    return app

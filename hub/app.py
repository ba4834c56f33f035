"""`create_app` makes the centre's pages out of an opened hub.

`LONTAR_HUB_HOSTS` names the hosts under which the pages may be opened (space between); without it only
this machine's own names and literal addresses are. Behind TLS the cookies are marked Secure.
"""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from hub import log_lines
from hub.api.app import PATH, create_api
from hub.views import (
    accounts,
    acts,
    alerts,
    announcements,
    api_docs,
    api_keys,
    bundles,
    certificate_queue,
    certificate_rules,
    certificates,
    codes,
    couriers,
    courses,
    decisions,
    desk,
    devices,
    duplicates,
    enter,
    exports,
    items,
    learners,
    more,
    overview,
    own,
    pack,
    packs,
    regions,
    rosters,
    silent,
    sticks,
    summary,
    words,
)
from hub.wiring import Hub
from web.app import prepare


class _Pages(Flask):
    def log_exception(self, exc_info: Any) -> None:
        """As Flask does it, but without an address that may tell about whom it is."""
        self.logger.error("%s %s", request.method, log_lines.shown_path(), exc_info=exc_info)


def create_app(hub: Hub) -> Flask:
    """The operators' pages, and beside them the read API. The hub stays the caller's to close."""
    app = _Pages(__name__, static_folder=None)
    app.config.from_mapping(
        SECRET_KEY=hub.config.session_secret,
        SESSION_COOKIE_NAME="lontar_hub",
        ALLOWED_HOSTS=tuple(os.environ.get("LONTAR_HUB_HOSTS", "").split()),
    )
    log_lines.prepare(app)
    sticks.prepare(app)
    packs.prepare(app)
    rosters.prepare(app)
    prepare(app)
    desk.prepare(app, hub)
    words.prepare(app)
    for view in (enter, overview, summary, regions, learners, courses, items, devices, codes, alerts):
        app.register_blueprint(view.blueprint)
    for view in (decisions, silent, duplicates, rosters, sticks, bundles, couriers, announcements):
        app.register_blueprint(view.blueprint)
    for view in (
        packs,
        pack,
        certificates,
        certificate_queue,
        certificate_rules,
        exports,
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

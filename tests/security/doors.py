"""Every route of every application, who may open it, and browsers of everybody who might try.

The hub's routes are closed unless `OPEN` names them; those of a laptop are each given to somebody by name. So a new
route of the hub is tried as a closed one, and a new one of a laptop fails until it is classified here.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from centre import made_hub
from device import VILLAGE
from flask import Flask
from flask.testing import FlaskClient
from office import World, address, as_of, world
from village import made_village
from werkzeug.datastructures import Headers
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from courier.app import create_app as create_courier
from courier.wiring import open_desk
from courier.worker import Worker
from hub.api.app import create_api
from hub.app import create_app as create_hub
from hub.wiring import Hub
from node.app import create_app as create_node
from node.desk import desk_of
from node.player_app import create_player_app
from node.setup import Setup
from node.setup_app import create_setup_app
from node.wiring import Node
from sync.machine import Machine
from web.villages import find

PIN: Final = "482913"
PASSWORD: Final = "rahasia desa"
PHONE: Final = {"REMOTE_ADDR": "192.168.43.20"}

SHARED: Final = frozenset({"static", "web.static", "languages.choose", "looks.show", "looks.choose"})
"""Files of ours and how pages look: nothing of anybody."""

OPEN: Final = {
    "hub": (SHARED - {"static"}) | {
        "enter.enter", "enter.code", "enter.ask_passkey", "enter.take_passkey", "accounts.accept", "api_docs.show",
        "certificates.check", "certificates.scanned", "certificates.scanned_small", "certificates.badge",
    },
    "api": frozenset({"description"}),
    "node": SHARED | {
        "learner.choose", "learner.enter", "learner.leave", "sync_state.show", "sync_state.sync_now", "operator.enter",
        "news.show", "checks.check", "checks.scanned", "checks.typed", "neighbour.answer", "neighbour.pack_file",
    },
    "player": frozenset(),
    "setup": SHARED,
    "courier": SHARED,
}  # fmt: skip
"""What a stranger may open: on the hotspot, or on the internet."""
LEARNERS: Final = frozenset({
    "learn.courses", "learn.course", "learn.read", "learn.reach", "learn.finish", "learn.media", "learn.progress",
    "learn.download", "quiz.overview", "quiz.question", "quiz.submit", "quiz.result", "certificates.mine",
    "certificates.my_paper",
})  # fmt: skip
OPERATORS: Final = frozenset({
    "operator.learners", "operator.add", "operator.print_names", "operator.learner", "operator.change",
    "operator.reset_pin", "operator.leave", "packs.listed", "packs.choose", "packs.roll_back", "packs.install",
    "packs.allow", "sticks.trust", "sticks.lost", "sticks.people", "certificates.of_learner", "certificates.paper",
    "class_view.listed", "class_view.shown", "class_view.download_all", "class_view.download", "many_learners.form",
    "many_learners.preview", "many_learners.add", "many_learners.example_csv", "many_learners.example_xlsx",
    "hub_address.show", "hub_address.keep", "welcome.show", "device.show", "device.examine", "device.try_stick",
    "device.acknowledge", "backups.listed", "backups.back_up", "backups.choose", "backups.paper", "backups.plan",
    "backups.restore", "backups.call_off",
})  # fmt: skip
AT_THE_LAPTOP: Final = frozenset({"sticks.show", "sticks.save", "sticks.visit"})
"""For everybody at the laptop itself; from a phone for the operator."""
ONLY_AT_THE_LAPTOP: Final = frozenset({"unlock.show", "welcome.enter"})
MACHINES: Final = frozenset({"neighbour.answer"})
"""What machines post to, without a form: what counts there is who signed."""


@dataclass(frozen=True)
class Door:
    """One way into an application."""

    app: str
    method: str
    endpoint: str
    path: str

    def __str__(self) -> str:
        return f"{self.app}: {self.method} {self.path} ({self.endpoint})"


@dataclass
class Apps:
    """The applications by their names, and what is in them."""

    folder: Path
    hub: Hub
    about: World
    node: Node
    made: dict[str, Flask]
    _clients: dict[str, FlaskClient] = field(default_factory=dict)
    _heads: dict[str, list[tuple[Door, Headers]]] = field(default_factory=dict)

    def stranger(self, app: str, **environ: str) -> FlaskClient:
        client = self.made[app].test_client()
        client.environ_base.update(environ)
        return client

    def within(self, app: str) -> FlaskClient:
        """Somebody who may open as much as anybody there; the same browser each time."""
        known = self._clients.get(app)
        if known is None or (app == "node" and known.get("/operator").status_code != 200):
            # A log-out elsewhere ends every sitting of the operator's.
            self._clients[app] = self.village_operator() if app == "node" else self.stranger(app)
        return self._clients[app]

    def learner(self, **environ: str) -> FlaskClient:
        client = self.stranger("node", **environ)
        assert post(client, "/masuk/0", pin=PIN, again=PIN).location == "/pelatihan"
        return client

    def village_operator(self, **environ: str) -> FlaskClient:
        client = self.stranger("node", **environ)
        assert post(client, "/operator/masuk", password=PASSWORD, again=PASSWORD).location == "/operator"
        return client

    def doors(self, app: str) -> Iterator[Door]:
        """Each method of each route, at the address of something that exists where that is possible."""
        for rule in self.made[app].url_map.iter_rules():
            path = address(rule, self.about) if app == "hub" else _address(rule, self.about)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Door(app, method, rule.endpoint, path)

    def heads(self, app: str) -> list[tuple[Door, Headers]]:
        """The headers of every route's answer, behind TLS, to somebody within and to a stranger; asked for once."""
        if app not in self._heads:
            self._heads[app] = [
                (door, knock(client, door, headers={"X-Forwarded-Proto": "https"}).headers)
                for client in (self.within(app), self.stranger(app))
                for door in self.doors(app)
            ]
        return self._heads[app]

    def forms(self, app: str) -> Iterator[Door]:
        return (door for door in self.doors(app) if door.method != "GET")


PAGES_WITH_FORMS: Final = {
    "hub": ("/masuk", "/akun-saya"), "node": ("/sinkronisasi",), "setup": ("/siapkan/pusat",), "courier": ("/pusat",),
}  # fmt: skip
"""Where somebody finds a form: before, and after a log-in."""


def token(client: FlaskClient, *pages: str) -> str:
    for page in pages:
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
        if found:
            return found[1]
    raise AssertionError(pages)


def post(client: FlaskClient, path: str, **form: Any) -> TestResponse:
    """Send a form to the village with the token of another page, as a browser would."""
    return client.post(path, data={**form, "csrf_token": token(client, "/sinkronisasi")})


def knock(client: FlaskClient, door: Door, **more: Any) -> TestResponse:
    return client.open(door.path, method=door.method, **more)


@contextlib.contextmanager
def opened_apps(folder: Path) -> Iterator[Apps]:
    hub = made_hub(folder / "hub")
    node = made_village(folder, ("Siti Aminah", "Kepala Desa"), ("Budi", "Kaur Keuangan"))
    desk = open_desk(folder / "officer")
    pages = create_node(node)
    player = create_player_app(desk_of(pages))
    player.config["PAGES_PORT"] = 8080
    setup = Setup(folder / "new", 8080, Machine(), lambda: node, lambda _: "/", list)
    village = find(VILLAGE)
    assert village is not None
    setup.choose_village(village)
    made = {
        "hub": create_hub(hub), "api": create_api(hub), "node": pages, "player": player,
        "setup": create_setup_app(setup), "courier": create_courier(desk, Worker(), list),
    }  # fmt: skip
    opened = Apps(folder, hub, world(hub), node, made)
    opened._clients["hub"] = as_of(hub)
    yield opened
    desk.ledger.close()
    node.close()
    hub.close()


def _address(rule: Rule, about: World) -> str:
    filled = {
        "pack": "0", "lesson": "1", "number": "0", "path": "x", "name": "x", "code": "x", "kind": "xlsx",
        "bundle": secrets.token_hex(8), "ticket": "x", "token": "x", "size": "besar", "contrast": "kuat",
        "filename": "lontar.css",
    }  # fmt: skip
    if rule.endpoint.endswith(".one"):
        filled["number"] = about.device.id.hex() if rule.endpoint.startswith("devices") else about.learner
    return re.sub(r"<(?:[^:>]+:)?([a-z]+)>", lambda found: filled[found[1]], rule.rule)

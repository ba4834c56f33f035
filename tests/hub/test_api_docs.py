"""docs/api.md as a test: its examples run against a real hub, and what they print is what it says."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest
from office import HERE, world
from reading import made_token
from test_webhooks import SECRET, Receiver, deliver, hooked, receiver  # noqa: F401 - the fixture
from werkzeug.serving import make_server

from hub import deliveries, outbox
from hub.api.operations import LISTINGS, SINGLES
from hub.app import create_app
from hub.db import writing
from hub.wiring import Hub, now_ms

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)

pytestmark = pytest.mark.parametrize("hub", ["sqlite"], indirect=True)


@pytest.fixture
def address(hub: Hub) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(hub), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def run(example: str, address: str, token: str) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", example],
        env={"PUSAT": address, "KUNCI": token, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, (example, done.stderr)
    return done.stdout


@pytest.mark.skipif(not (which("curl") and which("jq")), reason="needs curl and jq")
def test_every_question_in_the_guide_is_answered(hub: Hub, address: str) -> None:
    world(hub)
    token = made_token(hub, "17")
    asked, paged, unchanged, refused = EXAMPLES
    for line in asked.splitlines():
        assert "items" in json.loads(run(line, address, token)), line
    lines = run(paged, address, token).splitlines()
    codes = [line.split("\t")[0] for line in lines]
    assert HERE in codes and len(codes) == len(set(codes)) > 7
    assert run(unchanged, address, token) == "304\n"
    said = json.loads(run(refused, address, token))
    shown = re.search(r"```json answer\n(.*?)```", TEXT, re.DOTALL)
    assert shown
    promised = json.loads(shown[1])
    assert (said["type"], said["status"]) == (promised["type"], promised["status"])


def test_the_receiver_in_the_guide_knows_what_is_genuine(hub: Hub, receiver: Receiver) -> None:  # noqa: F811
    secret = hooked(hub, receiver.url)
    with writing(hub.engine) as connection:
        outbox.note(connection, outbox.ALERT_RAISED, HERE, {}, now_ms())
    deliver(hub)
    code = re.search(r"```python receiver\n(.*?)```", TEXT, re.DOTALL)
    assert code
    names: dict[str, object] = {}
    exec(code[1], names)
    is_genuine = names["is_genuine"]
    assert callable(is_genuine)
    headers, body = receiver.told[0]
    assert is_genuine(secret, headers, body)
    assert not is_genuine(secret, headers, body + b" ")
    old = deliveries.headers(SECRET, "msg_x", int(time.time()) - 3600, body)
    assert not is_genuine(secret, old, body)


def test_the_guide_names_every_address_kind_and_wait(hub: Hub) -> None:
    for one in LISTINGS:
        assert f"`/{one.name}`" in TEXT, one.name
    for one in SINGLES:
        assert f"`/{one.name}/{{number}}`" in TEXT, one.name
    for kind in outbox.KINDS:
        assert f"`{kind}`" in TEXT, kind

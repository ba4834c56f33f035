"""Drops on every place that a real hub has for uploads, a byte a second: devices find room again."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from pathlib import Path

import pytest
from centre import made_hub
from senders import PATIENCE_S, serving

from hub.uploads import UPLOADS_MOST
from sync import exchange

HEAD = f"POST {exchange.PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n".encode()


@pytest.mark.slow
def test_drops_on_all_places_make_way_for_devices(tmp_path: Path) -> None:
    made_hub(tmp_path / "hub").close()
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(serving(tmp_path / "hub", tmp_path / "log", workers=1))
        dripping = []
        for _ in range(UPLOADS_MOST):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=60))
            client.sendall(HEAD)
            dripping.append(client)
        answers = []
        until = time.monotonic() + PATIENCE_S * 4
        while 400 not in answers:  # what isn't a device's is told so as soon as there is room to read it
            assert time.monotonic() < until, answers
            for client in dripping:
                with contextlib.suppress(ConnectionError):
                    client.sendall(b"\x84")
            answers.append(_asked(served.port))
            time.sleep(1)
        assert set(answers) == {503, 400}
        assert served.get("/siap") == 200


def _asked(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        connection.request("POST", exchange.PATH, b"\x01")
        return connection.getresponse().status

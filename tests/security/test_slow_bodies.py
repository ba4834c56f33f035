"""Connections that send one byte at a time, at a real server: others are served all the same."""

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.request
from collections.abc import Iterator

import pytest
from village import made_village

from node.app import create_app
from node.serving import Served

MANY = 150
"""More than waitress lets in by itself (100), as one phone can open; 60 phones open 4 each at most."""
HEADS = (
    b"POST /masuk/0 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n",
    b"POST /masuk/0 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nea60\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONTAR_STATE", str(tmp_path_factory.mktemp("state")))
        node = made_village(tmp_path_factory.mktemp("desa"), ("Siti", "Kades"))
        served = Served(create_app(node), "127.0.0.1", 0, None)
        thread = threading.Thread(target=served.run)
        thread.start()
        yield served.port
        served.close()
        thread.join()
        node.close()


def test_drops_on_many_connections_keep_nobody_out_of_a_village(port: int) -> None:
    with contextlib.ExitStack() as stack:
        dripping = []
        for number in range(MANY):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            client.sendall(HEADS[number % len(HEADS)])
            dripping.append(client)
        for _ in range(5):
            for client in dripping:
                client.sendall(b"x")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
                assert b"Siti" in answer.read()


@pytest.mark.parametrize(
    ("head", "statuses"),
    [
        ("Content-Length: 99999999999", {413}), ("Content-Length: -1", {400}), ("Content-Length: x", {400}),
        ("Content-Length: 5\r\nContent-Length: 50", {400}),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", {400, 501}), ("Transfer-Encoding: gzip", {400, 501}),
    ],
)  # fmt: skip
def test_a_body_that_lies_about_its_length_is_refused(port: int, head: str, statuses: set[int]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(f"POST /masuk/0 HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\nabcde".encode())
        client.shutdown(socket.SHUT_WR)
        first = client.makefile("rb").readline()
    assert int(first.split()[1]) in statuses, first


def test_a_chunked_body_over_the_limit_is_refused(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(b"POST /masuk/0 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        answer, chunk = b"", b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        with contextlib.suppress(ConnectionError):
            for _ in range(3):
                client.sendall(chunk)
            client.sendall(b"0\r\n\r\n")
        answer = client.makefile("rb").readline()
    assert int(answer.split()[1]) in (400, 413), answer

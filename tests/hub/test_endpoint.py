"""The device's address as bytes: what is answered to whole, cut, oversized, foreign and hostile requests."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from device import Device
from state import held

from hub import schema
from hub.endpoint import Endpoint
from hub.uploads import UPLOADS_MOST
from hub.wiring import Hub
from sync import cbor, exchange, limits, registration
from sync.entries import QuestionAnswered, QuizSubmitted


class CutShort(io.RawIOBase):
    """A body whose connection breaks after `data`."""

    def __init__(self, data: bytes) -> None:
        self._source = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(size)
        if not piece:
            raise ConnectionResetError
        return piece


def pages(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<h1>pages</h1>"]


def post(
    hub: Hub,
    body: bytes,
    path: str = exchange.PATH,
    method: str = "POST",
    length: str | None = None,
    source: Any = None,
    endpoint: Endpoint | None = None,
) -> tuple[int, dict[str, str], bytes]:
    got: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        got.update(status=int(status[:3]), headers=dict(headers))

    environ = {
        "PATH_INFO": path,
        "REQUEST_METHOD": method,
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "wsgi.input": source or io.BytesIO(body),
    }
    answer = b"".join((endpoint or Endpoint(hub.intake, pages))(environ, start_response))
    return got["status"], got["headers"], answer


def refusal_code(answer: bytes) -> str:
    refusal = exchange.read_refusal(answer)
    assert refusal is not None
    assert refusal[1].endswith(".")
    return refusal[0]


def working(hub: Hub) -> Device:
    device = Device(1).registered(hub).open()
    device.seal(*(QuestionAnswered(0, 0, 1, number, 1, True, 5) for number in range(1, 9)))
    device.seal(QuizSubmitted(0, 0, 1, 9000))
    return device


def body_of(device: Device) -> bytes:
    return device.header() + b"".join(sealed.data for sealed in device.segments)


class HeldUp(io.RawIOBase):
    """A body of which nothing comes until it may."""

    def __init__(self, data: bytes) -> None:
        self._source = io.BytesIO(data)
        self.is_asked = threading.Event()
        self.may_come = threading.Event()

    def read(self, size: int = -1) -> bytes:
        self.is_asked.set()
        assert self.may_come.wait(60)
        return self._source.read(size)


def test_whoever_there_is_no_room_for_is_asked_to_come_later_before_a_byte_is_read(hub: Hub) -> None:
    body = body_of(working(hub))
    endpoint = Endpoint(hub.intake, pages)
    with ThreadPoolExecutor(UPLOADS_MOST) as pool:
        sources = [HeldUp(body) for _ in range(UPLOADS_MOST)]
        under_way = [pool.submit(post, hub, body, source=one, endpoint=endpoint) for one in sources]
        for one in sources:
            assert one.is_asked.wait(60)
        unread = io.BytesIO(body)
        status, headers, answer = post(hub, body, source=unread, endpoint=endpoint)
        for one in sources:
            one.may_come.set()
        taken = [one.result()[0] for one in under_way]
    assert (status, refusal_code(answer), unread.tell()) == (503, "try-later", 0)
    assert 60 <= int(headers["Retry-After"]) <= 120
    assert taken == [200] * UPLOADS_MOST
    assert post(hub, body, endpoint=endpoint)[0] == 200


def test_a_whole_request_gets_a_receipt_and_is_merged(hub: Hub) -> None:
    device = working(hub)
    header = device.header()
    status, headers, answer = post(hub, header + b"".join(sealed.data for sealed in device.segments))
    assert (status, headers["Content-Type"]) == (200, exchange.MEDIA_TYPE)
    receipt, _ = exchange.split_answer(answer)
    assert exchange.open_receipt(receipt, hub.config.keyset.hub_keys, header).verdicts
    assert held(hub, schema.MERGED) == len(device.entries)


def test_what_arrived_of_a_cut_request_is_kept_and_counts(hub: Hub) -> None:
    device = working(hub)
    body = body_of(device)
    cut = body[: -len(device.segments[-1].data) // 2]
    post(hub, body, source=CutShort(cut))
    assert held(hub, schema.MERGED) == len(device.entries) - 1


@pytest.mark.parametrize("drop", range(1, 40, 7))
def test_a_request_cut_anywhere_is_answered_and_loses_no_whole_segment(hub: Hub, drop: int) -> None:
    device = working(hub)
    body = body_of(device)
    status, _, answer = post(hub, body, source=io.BytesIO(body[:-drop]))
    assert (status, refusal_code(answer)) == (400, "malformed")
    assert held(hub, schema.MERGED) == len(device.entries) - 1


def test_an_oversized_body_is_refused_before_it_is_read(hub: Hub) -> None:
    never_read = CutShort(b"")
    status, _, answer = post(hub, b"", length=str(limits.REQUEST_BODY + 1), source=never_read)
    assert (status, refusal_code(answer)) == (413, "too-large")


@pytest.mark.parametrize("length", ["", "-5", "viele"])
def test_a_body_without_an_honest_length_is_refused(hub: Hub, length: str) -> None:
    status, _, answer = post(hub, b"x", length=length)
    assert (status, refusal_code(answer)) == (400, "malformed")


def test_a_body_that_is_not_cbor_is_refused(hub: Hub) -> None:
    for body in (b"<html>hello</html>", b"\xff" * 50, b"{}", b"\x00"):
        status, _, answer = post(hub, body)
        assert status == 400
        assert refusal_code(answer) == "malformed"


def test_an_unknown_version_is_told_so(hub: Hub) -> None:
    from sync import cose

    device = working(hub)
    newer = cose.seal(device.key, cbor.encode([2, device.id[:8], 0, 0, [], []]), cose.REQUEST)
    status, _, answer = post(hub, newer)
    assert (status, refusal_code(answer)) == (400, "unknown-version")


def test_an_unknown_device_is_told_to_register(hub: Hub) -> None:
    status, _, answer = post(hub, body_of(Device(9).open()))
    assert (status, refusal_code(answer)) == (403, "unknown-device")


def test_a_bomb_is_stored_as_unreadable_history_at_most(hub: Hub) -> None:
    """A device may sign whatever it likes; a body that would unfold to gigabytes is never unfolded."""
    import zstandard

    from sync import cose

    device = working(hub)
    bomb = zstandard.ZstdCompressor(level=19).compress(b"\0" * 50_000_000)
    header = cbor.encode([device.log, 3, device.tip.id, len(device.entries), 10, 2])
    size = bytes([len(bomb) & 0x7F | 0x80, len(bomb) >> 7 & 0x7F | 0x80, len(bomb) >> 14])
    data = cose.seal(device.key, header + size + bomb, cose.SEGMENT)
    post(hub, body_of(device) + data)
    assert held(hub, schema.UNREADABLE) == 10
    assert held(hub, schema.MERGED) == len(device.entries)


def test_other_methods_are_refused_and_other_addresses_are_the_pages(hub: Hub) -> None:
    assert post(hub, b"", method="GET")[0] == 405
    assert post(hub, b"", path="/")[2] == b"<h1>pages</h1>"


def test_a_broken_registration_is_refused(hub: Hub) -> None:
    for body in (b"", b"\x80", b"<html>", b"\xd2\x84\x43\xa1\x01\x32\xa0\x41\x00\x58\x40" + bytes(64)):
        status, _, answer = post(hub, body, path=registration.PATH)
        assert 400 <= status < 500
        assert refusal_code(answer)

"""Who is cut off when there is no room: bytes that drip, and never a line that is only slow."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.http.body import LengthReader
from gunicorn.http.unreader import SocketUnreader
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import BusyError
from hub.uploads import FLOOR, GRACE_S, UPLOADS_MOST, Uploads, is_too_slow
from sync import limits
from sync.errors import MalformedError, TooLargeError

LENGTH = 50_000


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Sender:
    """Brings a body over a real socket, which the hub's server reads as it reads any."""

    def __init__(self, uploads: Uploads) -> None:
        self.far, near = socket.socketpair()
        self.got = b""
        self.has_room = threading.Event()
        self._environ = {
            "wsgi.input": LengthReader(SocketUnreader(near), LENGTH),
            "CONTENT_LENGTH": str(LENGTH),
            "gunicorn.socket": near,
        }
        self._near = near
        self._uploads = uploads
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        assert self.has_room.wait(60)

    def _read(self) -> None:
        with self._uploads.room(self._environ) as upload:
            self.has_room.set()
            for piece in upload.pieces(LENGTH):
                self.got += piece

    def is_over(self, within_s: float) -> bool:
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def close(self) -> None:
        self.far.close()
        self._thread.join()
        self._near.close()


def ask_for_room(uploads: Uploads) -> None:
    with uploads.room({"wsgi.input": None, "CONTENT_LENGTH": "0"}):
        pass


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def senders(clock: Clock) -> Iterator[tuple[Uploads, list[Sender]]]:
    """A worker without room: everybody has sent ten bytes."""
    uploads = Uploads(clock)
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(UPLOADS_MOST):
            made.append(Sender(uploads))
            stack.callback(made[-1].close)
            made[-1].far.sendall(b"0123456789")
        yield uploads, made


def test_bytes_that_drip_make_room_for_others(senders: tuple[Uploads, list[Sender]], clock: Clock) -> None:
    uploads, dripping = senders
    clock.now_s = GRACE_S + LENGTH / FLOOR
    with pytest.raises(BusyError):
        ask_for_room(uploads)
    assert all(one.is_over(60) for one in dripping)
    ask_for_room(uploads)
    assert [one.got for one in dripping] == [b"0123456789"] * UPLOADS_MOST


def test_who_has_just_come_is_not_cut_however_many_ask(
    senders: tuple[Uploads, list[Sender]], clock: Clock
) -> None:
    uploads, made = senders
    clock.now_s = GRACE_S
    for _ in range(3):
        with pytest.raises(BusyError):
            ask_for_room(uploads)
    for one in made:
        one.far.sendall(bytes(LENGTH - 10))
    assert all(one.is_over(60) for one in made)
    assert {len(one.got) for one in made} == {LENGTH}


def test_nobody_is_hurried_while_there_is_room(clock: Clock) -> None:
    uploads = Uploads(clock)
    sender = Sender(uploads)
    sender.far.sendall(b"x")
    clock.now_s = 86_400.0
    ask_for_room(uploads)
    sender.far.sendall(bytes(LENGTH - 1))
    assert sender.is_over(60)
    assert len(sender.got) == LENGTH
    sender.close()


@given(st.integers(0, limits.REQUEST_BODY), st.floats(0, 600), st.integers(FLOOR, 10_000))
def test_a_line_at_the_floor_or_above_it_is_never_too_slow(
    arrived: int, silent_s: float, rate: int
) -> None:
    seconds = arrived / rate + min(silent_s, GRACE_S)
    assert not is_too_slow(seconds, arrived)


@given(st.integers(0, limits.REQUEST_BODY))
def test_a_byte_a_second_is_too_slow_within_a_minute(arrived: int) -> None:
    assert is_too_slow(arrived + 60, arrived)


@pytest.mark.parametrize(
    ("declared", "refusal"), [("", MalformedError), ("x", MalformedError), ("11", TooLargeError)]
)
def test_a_body_is_refused_by_its_own_word_before_a_byte_is_read(
    declared: str, refusal: type[Exception]
) -> None:
    environ: dict[str, Any] = {"wsgi.input": None, "CONTENT_LENGTH": declared}
    with Uploads().room(environ) as upload, pytest.raises(refusal):
        upload.whole(10)

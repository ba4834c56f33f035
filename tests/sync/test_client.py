"""The client against real HTTP servers: an honest hub, a broken line, a captive portal, an impostor."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from laptop import workload

from sync import cbor, cose, exchange, limits, segment
from sync.client import ANSWER_LIMIT, Client, LogToSend
from sync.entries import Entry, LogOpened
from sync.errors import (
    ExchangeError,
    LontarError,
    NotAHubError,
    RefusedError,
    UnreachableError,
)
from sync.exchange import SHORT_ID, ItemSplitter, Receipt, Verdict, Wants, next_upload
from sync.keys import SigningKey, key_id
from sync.keyset import Keyset, open_keyset
from sync.log import NOTHING, Head, Status
from sync.logclock import Reading
from sync.sealing import CLASSICAL, SealingKey
from sync.segment import Segment, open_segment

DEVICE, HUB = SigningKey.from_seed(b"d" * 32), SigningKey.from_seed(b"h" * 32)
IMPOSTOR = SigningKey.from_seed(b"i" * 32)
ROOT = SigningKey.from_seed(b"r" * 32)
KEYSET = Keyset(1, ROOT.public, (HUB.public,), SealingKey(CLASSICAL, bytes(32)), ())
HTML = b"<html>Silakan masuk ke jaringan Wi-Fi ini</html>"


def sealed_log(*parts: Sequence[Entry]) -> list[Segment]:
    """A log of a first segment and `parts`."""
    opened = LogOpened(1, DEVICE.public, bytes(32), bytes(16), 0, b"")
    made = [segment.seal(DEVICE, b"", 0, b"", [Entry(0, 0, 0, opened.fields())], 0)]
    for part in parts:
        entries = [
            Entry(made[-1].end_seq + at, entry.kind, entry.t, entry.fields) for at, entry in enumerate(part)
        ]
        made.append(segment.seal(DEVICE, made[0].id, len(made), made[-1].id, entries, 0))
    return made


def log_of(count: int, each: int = 50) -> list[Segment]:
    entries = workload(1, count * each)
    return sealed_log(*(entries[at * each : at * each + each] for at in range(count)))


@dataclass
class Disk:
    """A device's log in memory; keeps the promises that a shelf makes."""

    segments: list[Segment]
    confirmed: int = NOTHING
    allowance: int = limits.UPLOAD_START
    unsure: bool = False
    departed: int = NOTHING
    receipts: list[Receipt] = field(default_factory=list)
    attempts: list[bool] = field(default_factory=list)

    def seal(self) -> None:
        """Everything here is sealed."""

    def logs(self) -> Sequence[LogToSend]:
        tip = self.segments[-1]
        waiting = [(one.index, len(one.data)) for one in self.segments if one.index > self.confirmed]
        return [LogToSend(Head(tip.log, tip.index, tip.id), self.confirmed, waiting)]

    def items(self, tip: Head, index: int) -> Sequence[bytes]:
        assert tip.log == self.segments[0].log
        return [self.segments[index].data]

    def note_departure(self, log: bytes, index: int) -> None:
        self.departed, self.unsure = max(self.departed, index), True

    def is_unsure(self) -> bool:
        return self.unsure

    def take_receipt(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)
        self.unsure = False
        for verdict in receipt.verdicts:
            head = verdict.head
            if head.index == NOTHING or self.segments[head.index].id[:SHORT_ID] == head.id:
                self.confirmed = head.index

    def have(self, named: bool) -> tuple[Head, ...]:
        return ()

    def wants(self) -> Wants:
        return Wants.NOTHING

    def take_items(self, stream: bytes) -> int:
        assert stream == b"", "nothing was asked for"
        return 0

    def take_keyset(self, envelope: bytes) -> Keyset:
        return open_keyset(envelope, KEYSET)

    def upload_size(self) -> int:
        return self.allowance

    def note_attempt(self, succeeded: bool, most: int) -> None:
        self.attempts.append(succeeded)
        self.allowance = next_upload(self.allowance, succeeded, most)


Answer = Callable[[BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A real HTTP server on this machine that treats every POST as `answer` says."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reply(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    status: int = 200,
    media: str = exchange.MEDIA_TYPE,
    **more: str,
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", media)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in more.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def read_body(handler: BaseHTTPRequestHandler) -> bytes:
    return handler.rfile.read(int(handler.headers["Content-Length"]))


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Break the connection as a lost signal does, without a proper end."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True
    handler.rfile.close()


@dataclass
class Centre:
    """A hub of one device: keeps what is whole and follows, and signs what it has."""

    segments: list[Segment] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    repeated: int = 0
    cut_after: Iterator[int] = field(default_factory=lambda: iter(()))
    status: Status = Status.STORED
    takes: bool = True
    key: SigningKey = HUB
    max_upload: int = limits.REQUEST_BODY

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers["Content-Length"])
        if length > limits.REQUEST_BODY:
            handler.close_connection = True
            read_body(handler)
            reply(handler, exchange.encode_refusal("too-large", "Terlalu besar."), 413)
            return
        cut = next(self.cut_after, None)
        body = handler.rfile.read(length if cut is None else min(cut, length))
        self.bodies.append(body)
        items = list(ItemSplitter().feed(body))
        for data in items[1:]:
            self._take(open_segment(data))
        if cut is not None:
            hang_up(handler)
            return
        reply(handler, self._receipt(items[0]))

    def _take(self, came: Segment) -> None:
        came.verify(DEVICE.public)
        if came.index < len(self.segments):
            self.repeated += 1
        elif self.takes:
            assert came.index == len(self.segments), "a gap"
            assert came.previous == (self.segments[-1].id if self.segments else b"")
            self.segments.append(came)

    def _receipt(self, header: bytes) -> bytes:
        opened = exchange.open_request(header)
        opened.verify(DEVICE.public)
        log = self.segments[0].log if self.segments else bytes(16)
        tip = Head(log, len(self.segments) - 1, self.segments[-1].id if self.segments else b"")
        verdicts = (Verdict(tip, self.status),) if self.segments else ()
        return exchange.sign_receipt(
            self.key, Receipt(opened.hash, 1_800_000_000_000, verdicts, 30, self.max_upload)
        )


def clock() -> tuple[int, Reading]:
    return 5000, Reading(b"boot", 5000, 1_700_000_000_000)


def client(url: str) -> Client:
    return Client(url, DEVICE, key_id(DEVICE.public))


def test_everything_arrives_in_one_round_trip_and_then_nothing_is_left() -> None:
    disk, centre = Disk(log_of(6)), Centre()
    told: list[tuple[int, int]] = []
    with serving(centre) as url:
        speaker = client(url + "/")
        first = speaker.exchange(disk, KEYSET, clock, lambda sent, total: told.append((sent, total)))
        again = speaker.exchange(disk, KEYSET, clock)
    assert [one.data for one in centre.segments] == [one.data for one in disk.segments]
    assert disk.confirmed == disk.departed == 6
    assert (first.requests, again.requests, centre.repeated) == (1, 1, 0)
    assert first.statuses == again.statuses == (Status.STORED,)
    assert (first.sent, first.retry_after_s) == (len(centre.bodies[0]), 30)
    assert told[-1] == (first.sent, first.sent) and told == sorted(told)
    assert again.sent == len(centre.bodies[1]) <= 250
    assert again.received <= 200
    assert disk.receipts[0].hub_ms == 1_800_000_000_000


def test_a_request_says_no_more_than_it_must() -> None:
    seen: list[tuple[str, dict[str, str]]] = []
    centre = Centre()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append((handler.path, dict(handler.headers)))
        centre(handler)

    with serving(answer) as url:
        client(url).exchange(Disk(log_of(1)), KEYSET, clock)
    path, headers = seen[0]
    assert path == "/v1/sync"
    assert headers.pop("User-Agent").startswith("lontar/")
    assert headers.pop("Content-Type") == "application/cbor-seq"
    assert int(headers.pop("Content-Length")) == len(centre.bodies[0])
    assert set(headers) <= {"Host", "Accept-Encoding", "Connection"}
    assert headers["Accept-Encoding"] == "identity"


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    disk = Disk(log_of(1))
    with serving(Centre()) as url:
        client(url).exchange(disk, KEYSET, clock)
    assert disk.confirmed == 1


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.5, 0.9, 0.999, 1.0])
def test_after_a_cut_it_goes_on_at_the_next_segment(share: float) -> None:
    disk = Disk(log_of(20))
    whole = sum(len(one.data) for one in disk.segments)
    cut = int(share * whole) + 1
    centre = Centre(cut_after=iter([cut]))
    with serving(centre) as url:
        with pytest.raises(UnreachableError) as refusal:
            client(url).exchange(disk, KEYSET, clock)
        kept = len(centre.segments)
        assert disk.unsure and disk.confirmed == NOTHING
        assert disk.attempts == [False]
        assert disk.allowance == limits.UPLOAD_START // 2
        client(url).exchange(disk, KEYSET, clock)
    assert url in refusal.value.sentence()
    assert [one.data for one in centre.segments] == [one.data for one in disk.segments]
    assert centre.repeated == 0, "what had arrived isn't sent again"
    assert list(ItemSplitter().feed(centre.bodies[1]))[1:] == [], "it asks first"
    assert list(ItemSplitter().feed(centre.bodies[2]))[1] == disk.segments[kept].data
    assert disk.confirmed == 20 and not disk.unsure


@pytest.mark.parametrize("seed", range(5))
def test_however_often_the_line_breaks_everything_arrives_once(seed: int) -> None:
    rng = random.Random(seed)
    disk = Disk(log_of(30))
    centre = Centre(cut_after=iter([rng.randrange(1, 9000) for _ in range(6)]))
    with serving(centre) as url:
        for attempt in itertools.count():
            with contextlib.suppress(UnreachableError):
                client(url).exchange(disk, KEYSET, clock)
                break
            assert attempt < 10
    assert [one.data for one in centre.segments] == [one.data for one in disk.segments]
    assert (disk.confirmed, centre.repeated) == (30, 0)


def test_a_long_backlog_goes_out_in_several_requests() -> None:
    disk, centre = Disk(log_of(40), allowance=limits.UPLOAD_MIN), Centre(max_upload=limits.UPLOAD_MIN)
    with serving(centre) as url:
        outcome = client(url).exchange(disk, KEYSET, clock)
    assert disk.confirmed == 40 and centre.repeated == 0
    assert outcome.requests == len(centre.bodies) > 3
    assert all(len(body) <= limits.UPLOAD_MIN + 200 for body in centre.bodies)
    assert outcome.sent == sum(map(len, centre.bodies))


def test_a_device_that_is_unsure_asks_before_it_sends() -> None:
    disk, centre = Disk(log_of(3), unsure=True), Centre()
    with serving(centre) as url:
        outcome = client(url).exchange(disk, KEYSET, clock)
    assert outcome.requests == 2
    assert len(centre.bodies[0]) <= 250
    assert disk.confirmed == 3


def test_a_hub_that_takes_nothing_is_not_asked_forever() -> None:
    disk, centre = (
        Disk(log_of(40), allowance=limits.UPLOAD_MIN),
        Centre(takes=False, max_upload=limits.UPLOAD_MIN),
    )
    with serving(centre) as url:
        outcome = client(url).exchange(disk, KEYSET, clock)
    assert outcome.requests == 1 and disk.confirmed == NOTHING


def test_a_hub_that_asks_for_patience_gets_it() -> None:
    log = log_of(40)
    disk = Disk(log, allowance=limits.UPLOAD_MIN)
    centre = Centre(segments=log[:2], status=Status.TRY_LATER, max_upload=limits.UPLOAD_MIN)
    with serving(centre) as url:
        outcome = client(url).exchange(disk, KEYSET, clock)
    assert (outcome.requests, outcome.statuses) == (1, (Status.TRY_LATER,))
    assert disk.confirmed < 40


def replying(body: bytes, status: int = 200, media: str = exchange.MEDIA_TYPE, **more: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        read_body(handler)
        reply(handler, body, status, media, **more)

    return answer


def no_answer(handler: BaseHTTPRequestHandler) -> None:
    read_body(handler)
    handler.close_connection = True


def reset(handler: BaseHTTPRequestHandler) -> None:
    hang_up(handler)


def half_an_answer(handler: BaseHTTPRequestHandler) -> None:
    read_body(handler)
    handler.send_response(200)
    handler.send_header("Content-Type", exchange.MEDIA_TYPE)
    handler.send_header("Content-Length", "133")
    handler.end_headers()
    handler.wfile.write(bytes(60))
    handler.close_connection = True


def half_a_chunk(handler: BaseHTTPRequestHandler) -> None:
    read_body(handler)
    handler.send_response(200)
    handler.send_header("Content-Type", exchange.MEDIA_TYPE)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"85\r\n" + bytes(60))
    handler.close_connection = True


def no_http(handler: BaseHTTPRequestHandler) -> None:
    read_body(handler)
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    handler.close_connection = True


ROADS: dict[str, tuple[Answer, type[ExchangeError]]] = {
    "a captive portal's page": (replying(HTML, media="text/html"), NotAHubError),
    "a captive portal's redirect": (
        replying(HTML, 302, "text/html", Location="http://127.0.0.1:9/login"),
        NotAHubError,
    ),
    "a page with our name on it": (replying(HTML), NotAHubError),
    "a server's own error": (replying(HTML, 500, "text/html"), NotAHubError),
    "nothing at this address": (replying(HTML, 404, "text/html"), NotAHubError),
    "a gateway without a hub": (replying(HTML, 502, "text/html"), UnreachableError),
    "a gateway in maintenance": (replying(HTML, 503, "text/html"), UnreachableError),
    "a gateway that waited": (replying(HTML, 504, "text/html"), UnreachableError),
    "an empty answer": (replying(b""), NotAHubError),
    "an endless answer": (replying(bytes(ANSWER_LIMIT + 1)), NotAHubError),
    "no answer": (no_answer, UnreachableError),
    "a reset": (reset, UnreachableError),
    "half a chunk": (half_a_chunk, UnreachableError),
    "something that isn't HTTP": (no_http, UnreachableError),
    "a refusal that can't be read": (replying(b"\xff", 403), NotAHubError),
    "a refusal": (replying(exchange.encode_refusal("unknown-device", "Belum."), 403), RefusedError),
}


@pytest.mark.parametrize("name", ROADS)
def test_whatever_goes_wrong_is_one_sentence_and_costs_no_work(name: str) -> None:
    answer, expected = ROADS[name]
    disk = Disk(log_of(3))
    with serving(answer) as url, pytest.raises(ExchangeError) as refusal:
        client(url).exchange(disk, KEYSET, clock)
    assert type(refusal.value) is expected
    assert "%(" not in refusal.value.sentence()
    assert disk.receipts == [] and disk.confirmed == NOTHING
    assert disk.unsure, "nobody knows what arrived"
    assert True not in disk.attempts


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    disk = Disk(log_of(1))
    with pytest.raises(UnreachableError) as refusal:
        client(f"http://127.0.0.1:{port}").exchange(disk, KEYSET, clock)
    assert str(port) in refusal.value.sentence()
    assert disk.attempts == [False]


@pytest.mark.parametrize(
    "url", ["", "pusat.desa.id", "ftp://pusat.desa.id", "http://", "https://", "http://[::1", "C:\\pusat"]
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(NotAHubError) as refusal:
        client(url).register(b"")
    assert "http://" in refusal.value.sentence()


def test_a_refusal_is_passed_on_in_the_hub_s_words() -> None:
    body = exchange.encode_refusal("code-refused", "Kode 100% salah: %(url)s.")
    with serving(replying(body, 403)) as url, pytest.raises(RefusedError) as refusal:
        client(url).register(b"x")
    assert "Kode 100% salah: %(url)s." in refusal.value.sentence()
    assert refusal.value.details["code"] == "code-refused"


def test_a_redirect_is_not_followed() -> None:
    bodies: list[bytes] = []

    def collect(handler: BaseHTTPRequestHandler) -> None:
        bodies.append(read_body(handler))
        reply(handler, b"")

    with serving(collect) as elsewhere:
        for status in (301, 302, 307, 308):
            answer = replying(b"", status, Location=f"{elsewhere}/v1/sync")
            with serving(answer) as url, pytest.raises(ExchangeError):
                client(url).exchange(Disk(log_of(1)), KEYSET, clock)
    assert bodies == []


def test_an_impostor_s_receipt_confirms_nothing() -> None:
    disk, centre = Disk(log_of(3)), Centre(key=IMPOSTOR)
    with serving(centre) as url, pytest.raises(NotAHubError):
        client(url).exchange(disk, KEYSET, clock)
    assert len(centre.segments) == 4, "it even kept them"
    assert disk.confirmed == NOTHING and disk.receipts == []


def test_a_receipt_played_back_confirms_nothing() -> None:
    kept: list[bytes] = []
    disk, centre = Disk(log_of(3)), Centre()

    def record(handler: BaseHTTPRequestHandler) -> None:
        body = read_body(handler)
        items = list(ItemSplitter().feed(body))
        for data in items[1:]:
            centre._take(open_segment(data))
        kept.append(centre._receipt(items[0]))
        reply(handler, kept[0])

    with serving(record) as url:
        client(url).exchange(disk, KEYSET, clock)
        assert disk.confirmed == 3
        disk.segments = log_of(4)
        with pytest.raises(NotAHubError):
            client(url).exchange(disk, KEYSET, lambda: (5001, clock()[1]))
    assert len(kept) == 2 and disk.confirmed == 3


def test_a_registration_goes_to_its_own_address() -> None:
    paths: list[tuple[str, bytes]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        paths.append((handler.path, read_body(handler)))
        reply(handler, b"jawaban")

    with serving(answer) as url:
        assert client(url).register(b"permintaan") == b"jawaban"
    assert paths == [("/v1/register", b"permintaan")]


def signed_answer(*fields: object) -> Answer:
    return replying(cose.seal(HUB, cbor.encode(list(fields)), cose.RECEIPT))


@pytest.mark.parametrize(
    "answer",
    [replying(cbor.encode(bytes(limits.CONTROL_ITEM))), signed_answer(2, "masa depan")],
    ids=["an item too large", "a receipt of the future"],
)
def test_whatever_a_hub_answers_ends_as_an_exchange_error(answer: Answer) -> None:
    with serving(answer) as url:
        try:
            client(url).exchange(Disk(log_of(1)), KEYSET, clock)
        except ExchangeError:
            return
        except LontarError:
            raise
    pytest.fail("no error at all")


def filled(size: int) -> list[Segment]:
    """A log whose segments have exactly `size` bytes together."""
    rng = random.Random(1)

    def blobs(total: int) -> list[Entry]:
        pieces = [4096] * (total // 4096) + [total % 4096]
        return [Entry(0, 4, 0, (rng.randbytes(piece),)) for piece in pieces]

    parts = [blobs(56_000) for _ in range(4)]
    last = size - sum(len(one.data) for one in sealed_log(*parts)) - 300
    for _ in range(20):
        log = sealed_log(*parts, blobs(last))
        missing = size - sum(len(one.data) for one in log)
        if not missing:
            return log
        last += missing
    raise AssertionError("no size fits")


def test_half_an_answer_is_a_broken_connection() -> None:
    disk = Disk(log_of(3))
    with serving(half_an_answer) as url, pytest.raises(ExchangeError) as refusal:
        client(url).exchange(disk, KEYSET, clock)
    assert disk.receipts == [] and disk.unsure
    assert type(refusal.value) is UnreachableError


def test_a_full_request_is_still_within_the_hub_s_limit() -> None:
    disk = Disk(filled(limits.REQUEST_BODY), allowance=limits.REQUEST_BODY)
    with serving(Centre()) as url:
        client(url).exchange(disk, KEYSET, clock)
    assert disk.confirmed == disk.segments[-1].index


def test_a_request_that_was_too_large_is_smaller_next_time() -> None:
    disk = Disk(log_of(3))
    with (
        serving(replying(exchange.encode_refusal("too-large", "Terlalu besar."), 413)) as url,
        pytest.raises(RefusedError),
    ):
        client(url).exchange(disk, KEYSET, clock)
    assert disk.allowance < limits.UPLOAD_START

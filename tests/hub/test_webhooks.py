"""Webhooks: what happened is told once it is true, signed, again and again until it arrives, and never inside."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from device import COURSE, VILLAGE, Device
from office import ELSEWHERE, HERE
from sqlalchemy import func, select
from test_packs_hub import course, publisher
from test_pages import counted, village

from hub import (
    addresses,
    alerts,
    certificates,
    courses,
    deliveries,
    outbox,
    rebuilding,
    registry,
    schema,
    webhooks,
)
from hub.addresses import ForbiddenAddressError
from hub.db import reading, writing
from hub.deliveries import LONGEST_MS, WAITS_S, Messenger
from hub.errors import HubError
from hub.roles import NATION
from hub.wiring import Hub, now_ms
from sync.entries import CourseCompleted, PackInstalled
from sync.keys import sha256

LOOPBACK = addresses.networks("127.0.0.0/8 ::1/128")
SECRET = b"s" * 32


@dataclass
class Receiver:
    """A server of somebody else, which keeps what it is told."""

    url: str = ""
    status: int = 204
    slowly: bool = False
    told: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.told]

    def data(self, at: int = -1) -> dict[str, Any]:
        return dict(json.loads(self.told[at][1])["data"])


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.told.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if receiver.slowly:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                for at in range(100):
                    self.wfile.write(f"X-{at}: x\r\n".encode())
                    time.sleep(0.1)
                return
            self.send_response(receiver.status)
            self.send_header("Location", receiver.url + "/lain")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *about: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'https' if tls else 'http'}://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def hooked(hub: Hub, url: str, scope: str = NATION, *kinds: str) -> str:
    return webhooks.add(
        hub.engine, url, kinds or outbox.KINDS, scope, "operator", lambda size: SECRET, now_ms()
    )


def deliver(hub: Hub, at_ms: int | None = None, messenger: Messenger | None = None) -> deliveries.Pass:
    clock = now_ms if at_ms is None else lambda: at_ms
    return deliveries.deliver(hub.engine, messenger or Messenger(LOOPBACK), clock)


def shown(hub: Hub) -> webhooks.Webhook:
    with reading(hub.engine) as connection:
        return webhooks.listed(connection)[0]


def noted(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return connection.execute(select(func.count()).select_from(schema.webhook_deliveries)).scalar_one()


# What is told


def test_everything_that_happens_in_a_village_is_told_without_names(hub: Hub, receiver: Receiver) -> None:
    hooked(hub, receiver.url)
    device = village(hub)
    with writing(hub.engine) as connection:
        pk = connection.execute(select(schema.devices.c.pk)).scalar_one()
        for _ in range(2):
            alerts.raise_alert(connection, alerts.FORK, pk, b"x", now_ms())
    registry.revoke(hub.engine, device.id, now_ms(), "Peserta 1 pindah")
    registry.revoke(hub.engine, device.id, now_ms())
    assert deliver(hub).arrived == 4
    assert receiver.kinds == [
        outbox.DEVICE_REGISTERED, outbox.COURSE_COMPLETED, outbox.ALERT_RAISED, outbox.DEVICE_REVOKED,
    ]  # fmt: skip
    number = device.id.hex()
    assert receiver.data(0) == {"village": VILLAGE, "device": number}
    assert receiver.data(1) == {"village": VILLAGE, "course": COURSE[0].hex(), "completed": 1}
    assert receiver.data(2) == {"village": VILLAGE, "kind": "fork", "device": number}
    assert not any(b"Peserta" in body for _, body in receiver.told)
    assert deliver(hub).arrived == 0, "once it has arrived it isn't sent again"


def test_a_second_person_who_completes_makes_two_and_a_rebuild_tells_nothing(
    hub: Hub, receiver: Receiver
) -> None:
    hooked(hub, receiver.url, NATION, outbox.COURSE_COMPLETED)
    device = village(hub)
    device.send(hub, device.seal(CourseCompleted(1, 0, 2)))
    deliver(hub)
    assert [receiver.data(at)["completed"] for at in range(len(receiver.told))] == [1, 2]
    rebuilding.everything(hub.engine)
    assert deliver(hub).arrived == 0


def test_certificates_are_told_when_they_are_issued_and_when_they_are_withdrawn(
    hub: Hub, receiver: Receiver, tmp_path: Path
) -> None:
    hooked(hub, receiver.url, NATION, outbox.CERTIFICATE_ISSUED, outbox.CERTIFICATE_WITHDRAWN)
    _, built = course(tmp_path / "c", publisher(hub))
    courses.note(hub.engine, built.envelope)
    device, key = Device(1).open().registered(hub), built.manifest.course_key
    device.seal(PackInstalled(key, sha256(built.envelope), 1), CourseCompleted(0, 1, 1))
    device.send(hub)
    assert certificates.issue_within(hub.engine, hub.config, "", now_ms()) == 1
    with reading(hub.engine) as connection:
        number = connection.execute(select(schema.certificates.c.number)).scalar_one()
    certificates.withdraw(hub.engine, number, "keliru: Peserta 1", now_ms())
    deliver(hub)
    assert receiver.kinds == [outbox.CERTIFICATE_ISSUED, outbox.CERTIFICATE_WITHDRAWN]
    assert receiver.data(0) == {"village": VILLAGE, "number": number, "course": key.hex()}
    assert b"keliru" not in receiver.told[1][1]


def test_a_webhook_is_told_only_of_its_region_and_of_what_it_wants(hub: Hub, receiver: Receiver) -> None:
    for scope, count in ((ELSEWHERE, 0), ("17.0", 0), ("17.05", 1), (HERE, 1)):
        before = noted(hub)
        with writing(hub.engine) as connection:
            connection.execute(schema.webhooks.delete().where(schema.webhooks.c.pk.not_in(
                select(schema.webhook_deliveries.c.webhook))))  # fmt: skip
        hooked(hub, receiver.url, scope, outbox.DEVICE_REVOKED)
        with writing(hub.engine) as connection:
            outbox.note(connection, outbox.DEVICE_REVOKED, HERE, {}, now_ms())
            outbox.note(connection, outbox.ALERT_RAISED, HERE, {}, now_ms())
        assert noted(hub) - before - (1 if before else 0) == count, scope


def test_what_did_not_happen_is_not_told(hub: Hub, receiver: Receiver) -> None:
    hooked(hub, receiver.url)

    def fail() -> None:
        with writing(hub.engine) as connection:
            outbox.note(connection, outbox.DEVICE_REVOKED, HERE, {}, now_ms())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert noted(hub) == 0


def test_without_webhooks_it_costs_one_statement_and_no_row(hub: Hub) -> None:
    with counted(hub) as statements, writing(hub.engine) as connection:
        outbox.note(connection, outbox.DEVICE_REVOKED, HERE, {}, now_ms())
    assert [one.split()[0] for one in statements if one.split()[0] in ("SELECT", "INSERT")] == ["SELECT"]
    assert noted(hub) == 0


# How it is told


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The vector that the specification's libraries test themselves with."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = deliveries.headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_can_check_who_told_it_and_when(hub: Hub, receiver: Receiver) -> None:
    secret = hooked(hub, receiver.url + "/terima?dari=lontar")
    registered = Device(1).open().registered(hub)
    deliver(hub)
    told, body = receiver.told[0]
    assert base64.b64decode(secret.removeprefix(webhooks.SECRET)) == SECRET
    again = deliveries.headers(SECRET, told["webhook-id"], int(told["webhook-timestamp"]), body)
    assert told["webhook-signature"] == again["webhook-signature"]
    assert abs(int(told["webhook-timestamp"]) - time.time()) < 60
    assert told["content-type"] == "application/json" and told["host"].startswith("localhost:")
    assert json.loads(body)["timestamp"].endswith("Z") and registered.id.hex() in body.decode()


def test_it_is_tried_again_later_and_later_under_the_same_id(hub: Hub, receiver: Receiver) -> None:
    hooked(hub, receiver.url)
    Device(1).open().registered(hub)
    receiver.status, at = 500, now_ms()
    for wait_s in WAITS_S[:3]:
        assert deliver(hub, at).failed == 1
        assert deliver(hub, at + wait_s * 1000 - 1).failed == 0
        at += wait_s * 1000
    assert shown(hub).problem == "HTTP 500" and shown(hub).failing_ms and shown(hub).waiting == 1
    receiver.status = 200
    assert deliver(hub, at).arrived == 1
    assert len(receiver.told) == 4 and len({told["webhook-id"] for told, _ in receiver.told}) == 1
    assert (shown(hub).problem, shown(hub).failing_ms, shown(hub).waiting) == ("", None, 0)


def test_one_failure_spares_the_rest_of_that_webhook_until_the_next_pass(
    hub: Hub, receiver: Receiver
) -> None:
    hooked(hub, receiver.url)
    for seed in range(1, 4):
        Device(seed).open().registered(hub)
    receiver.status = 503
    assert deliver(hub).failed == 1
    assert len(receiver.told) == 1


def test_after_three_days_in_vain_a_webhook_is_stopped_until_somebody_says_so(
    hub: Hub, receiver: Receiver
) -> None:
    hooked(hub, receiver.url)
    Device(1).open().registered(hub)
    receiver.status, at = 500, now_ms()
    deliver(hub, at)
    assert deliver(hub, at + LONGEST_MS).stopped == 1
    assert (shown(hub).state, shown(hub).waiting, shown(hub).lost) == (outbox.STOPPED, 0, 1)
    Device(2).open().registered(hub)
    receiver.status = 200
    assert deliver(hub).arrived == 0
    webhooks.resume(hub.engine, shown(hub).pk)
    Device(3).open().registered(hub)
    assert deliver(hub).arrived == 1
    assert receiver.data()["device"] == Device(3).open().id.hex()


def test_what_a_receiver_never_takes_is_given_up_without_stopping_the_rest(
    hub: Hub, receiver: Receiver
) -> None:
    hooked(hub, receiver.url)
    Device(1).open().registered(hub)
    at = now_ms()
    receiver.status = 500
    deliver(hub, at)
    receiver.status = 200
    with writing(hub.engine) as connection:
        outbox.note(connection, outbox.ALERT_RAISED, HERE, {}, at)
    assert deliver(hub, at).arrived == 1, "the other one waits"
    receiver.status = 422
    done = deliver(hub, at + LONGEST_MS)
    assert (done.failed, done.stopped) == (1, 0)
    assert (shown(hub).state, shown(hub).waiting, shown(hub).lost) == (outbox.ON, 0, 1)


def test_a_pass_with_nothing_to_do_writes_nothing(hub: Hub, receiver: Receiver) -> None:
    hooked(hub, receiver.url)
    with counted(hub) as statements:
        deliver(hub)
    assert len([one for one in statements if "BEGIN" not in one]) == 2


def test_one_that_says_it_is_gone_is_stopped_at_once(hub: Hub, receiver: Receiver) -> None:
    hooked(hub, receiver.url)
    Device(1).open().registered(hub)
    receiver.status = 410
    assert deliver(hub).stopped == 1


def test_redirects_are_not_followed(hub: Hub, receiver: Receiver) -> None:
    hooked(hub, receiver.url)
    Device(1).open().registered(hub)
    receiver.status = 307
    assert deliver(hub).failed == 1
    assert len(receiver.told) == 1


def test_what_one_process_has_taken_is_left_to_it(hub: Hub, receiver: Receiver) -> None:
    hooked(hub, receiver.url)
    Device(1).open().registered(hub)
    other: list[deliveries.Pass] = []

    def send(url: str, signed: dict[str, str], body: bytes) -> deliveries.Outcome:
        other.append(deliver(hub))
        return deliveries.Outcome()

    assert deliveries.deliver(hub.engine, send, now_ms).arrived == 1
    assert other[0].arrived == other[0].failed == 0


def test_a_receiver_that_answers_drop_by_drop_is_cut_off(receiver: Receiver) -> None:
    receiver.slowly = True
    began = time.monotonic()
    assert Messenger(LOOPBACK, timeout_s=1)(receiver.url, {}, b"{}").problem
    assert time.monotonic() - began < 5


def test_what_has_arrived_is_forgotten_after_a_month(hub: Hub, receiver: Receiver) -> None:
    hooked(hub, receiver.url)
    Device(1).open().registered(hub)
    deliver(hub)
    deliver(hub, now_ms() + deliveries.KEPT_MS // 2)
    assert noted(hub) == 1
    deliver(hub, now_ms() + deliveries.KEPT_MS + 60_000)
    assert noted(hub) == 0


# Where it is told


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
     "2001:0:7f00:1::1", "ff02::1", "192.0.2.1", "240.0.0.1"],
)  # fmt: skip
def test_no_private_address_is_told_anything(address: str) -> None:
    assert not addresses.is_allowed(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    assert Messenger()(f"https://{host}/", {}, b"{}").problem


def test_public_addresses_and_networks_that_were_allowed_are(receiver: Receiver) -> None:
    assert addresses.is_allowed(ip_address("103.10.64.1"))
    assert addresses.is_allowed(ip_address("2001:4860:4860::8888"))
    assert addresses.is_allowed(ip_address("10.20.3.4"), addresses.networks("10.20.0.0/16"))
    assert not addresses.is_allowed(ip_address("10.21.3.4"), addresses.networks("10.20.0.0/16"))
    with pytest.raises(HubError):
        addresses.networks("10.20.0.1/16")
    assert Messenger()(receiver.url, {}, b"{}").problem and not receiver.told


def test_a_name_with_one_address_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, 443)) for text in ("103.10.64.1", "10.0.0.1")
    ]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *about, **more: found
    )  # nobody's name server is asked
    with pytest.raises(ForbiddenAddressError):
        addresses.resolve("dinas.example", 443)


@pytest.mark.parametrize(
    "url",
    ["", "x", "http://dinas.go.id/", "ftp://dinas.go.id", "https://", "https://a@dinas.go.id/", "https://dinas.go.id/#x",
     "https://dinas.go.id:x/", "https://dinas.go.id/ x", "http://10.0.0.1/", "https://" + "x" * 500, "https://[x/"],
)  # fmt: skip
def test_an_address_that_can_not_be_told_is_refused_when_it_is_written(url: str) -> None:
    with pytest.raises(HubError):
        webhooks.checked(url)


def test_over_tls_the_certificate_must_be_the_name_s(tmp_path: Path) -> None:
    for name, arrives in (("localhost", True), ("other.example", False)):
        server, trust = certified(tmp_path, name)
        with receiving(server) as receiver:
            outcome = Messenger(LOOPBACK, trust=trust)(receiver.url, {"webhook-id": "x"}, b"{}")
            assert (not outcome.problem, len(receiver.told)) == (arrives, int(arrives)), outcome


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(what a server of this name answers with, what trusts it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / f"{name}.pem"
    file.write_bytes(key.private_bytes(pem, *plain) + made.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=made.public_bytes(pem).decode())

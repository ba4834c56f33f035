"""Sending in the background: how long it waits, what it tells people, and that nothing ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3
from desa import ScriptedMachine, answering, count, plain_node, rows, serving_hub
from hypothesis import given
from hypothesis import strategies as st

from hub import registry
from hub.wiring import now_ms
from node.app import create_app
from node.shelf import HUB_LOST, NEW_LOG
from node.wiring import Node, open_node
from node.worker import PAUSE_FIRST_S, PAUSE_MOST_S, pause_after
from sync import exchange
from sync.client import Client
from sync.entries import LessonOpened, OpenReason
from sync.errors import NotAHubError, RefusedError, UnreachableError
from sync.keys import key_id
from sync.log import Status
from sync.post import Progress, checked

PATIENCE_S = 20


def client_for(node: Node, url: str) -> Callable[[], Client]:
    key = node.config.device_key
    return lambda: Client(url, key, key_id(key.public))


def page(node: Node, language: str) -> str:
    return create_app(node).test_client().get(f"/sinkronisasi?lang={language}").text


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_no_pause_is_longer_than_an_hour_and_pauses_grow_with_failures(failures: int, byte: int) -> None:
    pause = pause_after(failures, byte)
    assert 0.75 * PAUSE_FIRST_S <= pause <= PAUSE_MOST_S
    assert failures == 0 or pause <= pause_after(failures + 1, byte)


def test_pauses_are_spread_so_that_a_district_does_not_call_at_once() -> None:
    for failures in range(12):
        pauses = {round(pause_after(failures, byte), 3) for byte in range(256)}
        assert len(pauses) == 256
        assert max(pauses) / min(pauses) == pytest.approx(5 / 3, abs=0.001)
    assert pause_after(1, 0) == 22.5
    assert pause_after(100, 255) == pytest.approx(PAUSE_MOST_S)


def test_an_error_is_kept_as_a_sentence_and_told_in_both_languages(tmp_path: Path) -> None:
    node = plain_node(tmp_path)
    with pytest.raises(UnreachableError):
        node.worker.exchange()
    node.close()
    node = open_node(tmp_path, ScriptedMachine())
    error = node.worker.state().error
    assert error is not None
    assert error.sentence().startswith("Pusat http://127.0.0.1:9 tidak dapat dihubungi. Pekerjaan aman")
    assert "Pusat http://127.0.0.1:9 tidak dapat dihubungi" in page(node, "id")
    assert "http://127.0.0.1:9" in page(node, "en")
    assert "tidak dapat dihubungi" not in page(node, "en")
    node.close()


class FullHub:
    """A road to a hub that has no room, and says for how long."""

    def __init__(self, says: str) -> None:
        self._says = says

    def send(
        self, path: str, body: bytes, most: int, progress: Progress = lambda sent, total: None
    ) -> bytes:
        refusal = exchange.encode_refusal("try-later", "Pusat penuh.")
        headers = {"Content-Type": exchange.MEDIA_TYPE, "Retry-After": self._says}
        return checked(refusal, urllib3.HTTPResponse(headers=headers, status=503), "http://pusat", most)


@pytest.mark.parametrize(
    ("says", "waits"),
    [("90", 90), ("999999999999", 3600), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("-1", 0), ("²", 0)],
)
def test_a_hub_that_has_no_room_is_left_alone_as_long_as_it_says(
    tmp_path: Path, says: str, waits: int
) -> None:
    node = plain_node(tmp_path)
    key = node.config.device_key
    worker = node.worker.with_client(lambda: Client("http://pusat", key, key_id(key.public), FullHub(says)))
    with pytest.raises(RefusedError):
        worker.exchange()
    assert worker.asked_to_wait_s == waits
    node.close()


def test_a_success_takes_the_error_away(tmp_path: Path) -> None:
    with serving_hub(tmp_path / "hub") as (hub, url):
        node = plain_node(tmp_path / "data")
        with pytest.raises(UnreachableError):
            node.worker.exchange()
        worker = node.worker.with_client(client_for(node, url))
        code = registry.issue_code(
            hub.engine, node.config.village, ScriptedMachine().random_bytes, now_ms()
        )
        worker.enrol(str(code))
        node.recorder.record(LessonOpened(0, 0, 1))
        outcome = worker.exchange()
        state = worker.state()
        assert outcome.statuses == (Status.STORED,)
        assert (state.error, state.running, state.registration) == (None, False, "registered")
        assert state.last_contact_ms is not None
        counts = node.recorder.counts()
        assert counts.confirmed == counts.sent >= 3
        node.close()


def test_a_device_without_a_code_asks_to_be_let_in_and_keeps_its_work(tmp_path: Path) -> None:
    with serving_hub(tmp_path / "hub") as (hub, url):
        node = plain_node(tmp_path / "data", url)
        node.recorder.record(LessonOpened(0, 0, 1))
        node.worker.exchange()
        assert node.worker.state().registration == "waiting"
        assert node.recorder.counts().confirmed == 0
        registry.approve(hub.engine, key_id(node.config.device_key.public), now_ms())
        node.worker.exchange()
        assert node.worker.state().registration == "registered"
        assert node.recorder.counts().confirmed >= 3
        node.close()


def test_a_login_page_of_a_network_is_not_taken_for_the_hub(tmp_path: Path) -> None:
    with answering(200, "text/html", b"<html>Selamat datang</html>") as url:
        node = plain_node(tmp_path, url)
        with pytest.raises(NotAHubError):
            node.worker.exchange()
    error = node.worker.state().error
    assert error is not None
    assert "bukan pusat Lontar" in error.sentence()
    node.close()


def test_a_refused_code_is_said_and_nothing_is_pinned(tmp_path: Path) -> None:
    with serving_hub(tmp_path / "hub") as (_, url):
        node = plain_node(tmp_path / "data", url)
        with pytest.raises(RefusedError):
            node.worker.enrol("7KQ2-M4TX-9RHB")
        assert node.worker.state().registration == "none"
        assert rows(node.store, "SELECT 1 FROM settings WHERE key = 'keyset'") == []
        node.close()


def test_while_an_exchange_is_under_way_people_are_told_so(tmp_path: Path) -> None:
    node = plain_node(tmp_path)
    seen = []

    def make_client() -> Client:
        seen.append(worker.state().running)
        return client_for(node, node.config.hub_url)()

    worker = node.worker.with_client(make_client)
    with pytest.raises(UnreachableError):
        worker.exchange()
    assert (seen, worker.state().running) == ([True], False)
    node.close()


def test_a_surprise_does_not_end_the_thread_and_stopping_seals(tmp_path: Path) -> None:
    node = plain_node(tmp_path)
    surprised, again = threading.Event(), threading.Event()

    def make_client() -> Client:
        if not surprised.is_set():
            surprised.set()
            raise ZeroDivisionError
        again.set()
        return client_for(node, node.config.hub_url)()

    worker = node.worker.with_client(make_client)
    worker.start()
    assert surprised.wait(PATIENCE_S)
    worker.sync_soon()
    assert again.wait(PATIENCE_S)
    node.recorder.record(LessonOpened(0, 0, 1))
    worker.stop()
    assert "lontar-sync" not in {thread.name for thread in threading.enumerate()}
    assert count(node.store, "pending") == 0
    node.close()


def test_a_worker_that_never_ran_seals_too_when_it_stops(tmp_path: Path) -> None:
    node = plain_node(tmp_path)
    node.recorder.record(LessonOpened(0, 0, 1))
    node.worker.stop()
    assert count(node.store, "pending") == 0
    node.close()


def test_differences_between_hub_and_laptop_are_told(tmp_path: Path) -> None:
    node = plain_node(tmp_path)
    assert node.worker.state().alerts == ()
    node.store.put(NEW_LOG, int(OpenReason.FORKED))
    node.store.put(HUB_LOST, 3)
    first, second = node.worker.state().alerts
    assert first.startswith("Perbedaan data")
    assert second.startswith("Pusat kehilangan sebagian data")
    assert first in page(node, "id")
    assert first not in page(node, "en")
    node.close()

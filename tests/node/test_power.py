"""The plug is pulled while somebody answers: what the page called saved is there, and the first page says what happened."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from desa import count, rows
from village import made_village

from node import power
from node.incidents import What
from node.wiring import open_node
from sync.entries import QuestionAnswered

PIN = "482913"
PATIENCE_S = 30


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def serving(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    command = [sys.executable, "-m", "lontar", "node", "serve", "--data", str(data), "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--no-sync"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(requests.ConnectionError):
                requests.get(f"http://127.0.0.1:{port}/", timeout=5)
                break
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


class Phone:
    """A browser that answers one question after the other and counts what was called saved."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.saved = 0

    def post(self, path: str, **form: str) -> requests.Response:
        page = self.session.get(f"{self.url}/sinkronisasi", timeout=10).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token
        return self.session.post(
            f"{self.url}{path}", data={**form, "csrf_token": token[1]}, timeout=10, allow_redirects=False
        )

    def answer_until_it_breaks(self) -> None:
        with contextlib.suppress(requests.RequestException, AssertionError):
            while True:
                answer = self.post(
                    f"/pelatihan/0/materi/1/kuis/{1 + self.saved % 2}", choice=str(self.saved % 2)
                )
                assert answer.status_code == 302
                self.saved += 1


@pytest.mark.slow
def test_answers_that_were_called_saved_survive_a_pulled_plug_and_the_first_page_says_so(
    tmp_path: Path,
) -> None:
    made_village(tmp_path, ("Siti Aminah", "Kepala Desa")).close()
    data = tmp_path / "data"
    with serving(data) as (process, url):
        phone = Phone(url)
        assert phone.post("/masuk/0", pin=PIN, again=PIN).status_code == 302
        answering = threading.Thread(target=phone.answer_until_it_breaks)
        answering.start()
        until = time.monotonic() + PATIENCE_S
        while phone.saved < 12 and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        answering.join()
    assert phone.saved >= 12
    assert power.was_cut_off(data)
    with serving(data) as (process, url):
        first = requests.get(f"{url}/", timeout=10).text
        assert "Listrik padam. Pekerjaan terakhir dipulihkan" in first
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    assert not power.was_cut_off(data)
    with contextlib.closing(open_node(data)) as node:
        query = "SELECT count(*) FROM pending WHERE kind = ?"
        waiting = rows(node.store, query, QuestionAnswered.number)[0][0]
        sealed = rows(node.store, "SELECT answers FROM lesson_progress")[0][0]
        assert sealed >= phone.saved
        assert waiting <= sealed
        incident = node.incidents.now()
        assert incident is not None
        assert incident.what is What.CUT
        assert count(node.store, "logs") == 1


@pytest.mark.slow
def test_a_clean_stop_is_no_power_cut(tmp_path: Path) -> None:
    made_village(tmp_path, ("Siti Aminah", "Kepala Desa")).close()
    data = tmp_path / "data"
    with serving(data) as (process, url):
        assert "Listrik padam" not in requests.get(f"{url}/", timeout=10).text
        assert power.is_served(data)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    assert not power.was_cut_off(data)
    assert (data / "ballast.bin").exists()
    assert list((data / "snapshots").glob("*.db"))

"""A real laptop's process, and browsers on its hotspot that answer as fast as they can; `Told` keeps what the pages said."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import requests
from told import Told

from bench.world import free_port

PIN: Final = "482913"
PATIENCE_S: Final = 60
_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Phone:
    """Answers the two questions of the first lesson of the small course in turn."""

    url: str
    told: Told
    learner: int = 0
    session: requests.Session = field(default_factory=requests.Session)
    tried: int = 0

    def log_in(self) -> None:
        answer = self._post(f"/masuk/{self.learner}", pin=PIN, again=PIN)
        assert answer.status_code == 302, answer.text

    def answer(self) -> bool:
        """Answer the next question; whether it was called saved."""
        question, choice = 1 + self.tried % 2, self.tried // 2 % 2
        self.tried += 1
        try:
            answer = self._post(f"/pelatihan/0/materi/1/kuis/{question}", choice=str(choice))
        except requests.RequestException:
            self.told.no_answer()
            return False
        if answer.status_code == 302 and "/kuis" in answer.headers["Location"]:
            self.told.answered((self.learner, 0, 1, question, choice))
            return True
        self.told.refusal(answer.status_code, says_what_to_do(answer.text), answer.text)
        return False

    def answer_until(self, over: threading.Event, pause_s: float = 0.0) -> None:
        while not over.is_set():
            if not self.answer():
                time.sleep(0.1)
            time.sleep(pause_s)

    def _post(self, path: str, **form: str) -> requests.Response:
        page = self.session.get(f"{self.url}/masuk/{self.learner}", timeout=PATIENCE_S)
        token = _TOKEN.search(page.text)
        form["csrf_token"] = token[1] if token else ""
        return self.session.post(f"{self.url}{path}", data=form, timeout=PATIENCE_S, allow_redirects=False)


def says_what_to_do(page: str) -> bool:
    """Whether a page tells that what was saved is safe, and no traceback."""
    return "aman" in page and "Traceback" not in page


@contextlib.contextmanager
def node_serving(data: Path, log: Path) -> Iterator[str]:
    port = free_port()
    command = [
        "node",
        "serve",
        "--data",
        str(data),
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
        "--no-sync",
    ]
    with log.open("wb") as opened:
        process = subprocess.Popen([sys.executable, "-m", "lontar", *command], stdout=opened, stderr=opened)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(requests.ConnectionError):
                requests.get(url, timeout=PATIENCE_S)
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def answering(*phones: Phone) -> Iterator[None]:
    over = threading.Event()
    threads = [threading.Thread(target=phone.answer_until, args=(over,)) for phone in phones]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()

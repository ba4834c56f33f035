"""`python -m bench phones`: 25 phones (or more) learn on one village laptop for some minutes, over real HTTP.

Everybody logs in with a PIN within the first minute (Argon2id is really verified), reads and answers with thinking times.
Afterwards every answer that a page called saved is looked for in the laptop's log. With `half` the laptop has one
processor at half speed.
"""

from __future__ import annotations

import contextlib
import random
import re
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Final

import psutil
import requests

from bench import world
from node.excerpts import excerpt
from node.learners import Secrets
from node.wiring import Node, open_node
from sync.entries import QuestionAnswered

LOG_IN_WITHIN_S: Final = 60.0
THINKING_S: Final = (2.0, 8.0)
COURSES: Final = 8
LESSONS: Final = 10
_PIN: Final = "482913"
_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')
_ATTEMPT: Final = re.compile(r'name="percobaan" value="(\d+)"')
_QUESTION: Final = re.compile(r'href="([^"]+/kuis/\d+[^"]*)"')
_ASSET: Final = re.compile(r'(?:href|src)="(/(?:web/)?static/[^"]+)"')
_SAVED: Final = "tersimpan di perangkat ini"
_PERIOD_S: Final = 0.05

Answer = tuple[int, int, int, int, int]
"""Learner, pack, lesson, question, choice."""


@dataclass
class Found:
    """What one phone, or all of them, saw."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    saved: Counter[Answer] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def add(self, other: Found) -> None:
        for kind, many in other.seconds.items():
            self.seconds.setdefault(kind, []).extend(many)
        self.saved += other.saved
        self.errors += other.errors


class _OverError(Exception):
    """The time is up while somebody is thinking."""


class Phone:
    """One browser with one person in front of it."""

    def __init__(self, base: str, learner: int, until: float) -> None:
        self._base = base
        self._learner = learner
        self._until = until
        self._rng = random.Random(learner)
        self._session = requests.Session()
        self.found = Found()

    def run(self, begin_after_s: float) -> None:
        time.sleep(begin_after_s)
        try:
            self._log_in()
            while True:
                self._learn(self._rng.randrange(COURSES), self._rng.randint(1, LESSONS))
        except _OverError:
            return
        except requests.RequestException as problem:
            self.found.errors.append(f"phone {self._learner}: {problem!r}")

    def _log_in(self) -> None:
        page = self._get("choose", "/")
        for path in sorted({unescape(one).partition("#")[0] for one in _ASSET.findall(page)}):
            self._get("style, logo and scripts", path)
        form = {"pin": _PIN, "csrf_token": self._token(self._get("PIN page", f"/masuk/{self._learner}"))}
        self._post("log-in with PIN", f"/masuk/{self._learner}", form)

    def _learn(self, pack: int, lesson: int) -> None:
        self._think(self._get("courses", "/pelatihan"))
        self._think(self._get("course", f"/pelatihan/{pack}"))
        place = f"/pelatihan/{pack}/materi/{lesson}"
        page = self._think(self._get("lesson", place))
        self._post("lesson read", f"{place}/dibaca", {"csrf_token": self._token(page)})
        page = self._get("quiz", f"{place}/kuis")
        for path in dict.fromkeys(map(unescape, _QUESTION.findall(page))):
            self._answer(pack, lesson, path)
        page = self._get("quiz", f"{place}/kuis")
        self._think(self._post("hand in", f"{place}/kuis/kirim", {"csrf_token": self._token(page)}))

    def _answer(self, pack: int, lesson: int, path: str) -> None:
        page = self._think(self._get("question", path))
        choice, number = self._rng.randrange(4), int(path.partition("/kuis/")[2].partition("?")[0])
        form = {"csrf_token": self._token(page), "choice": str(choice)}
        attempt = _ATTEMPT.search(page)
        if attempt:
            form["percobaan"] = attempt[1]
        shown = self._post("answer, saved and next page", path.partition("?")[0], form)
        if f"soal {number} {_SAVED}" in shown:
            self.found.saved[self._learner, pack, lesson, number, choice] += 1
        else:
            self.found.errors.append(f"phone {self._learner}: {path} did not say saved")

    def _think(self, page: str) -> str:
        seconds, left = self._rng.uniform(*THINKING_S), self._until - time.monotonic()
        time.sleep(max(0.0, min(seconds, left)))
        if seconds > left:
            raise _OverError
        return page

    def _token(self, page: str) -> str:
        found = _TOKEN.search(page)
        return found[1] if found else ""

    def _get(self, kind: str, path: str) -> str:
        return self._timed(kind, "GET", path)

    def _post(self, kind: str, path: str, form: dict[str, str]) -> str:
        return self._timed(kind, "POST", path, form)

    def _timed(self, kind: str, method: str, path: str, form: dict[str, str] | None = None) -> str:
        began = time.perf_counter()
        answer = self._session.request(method, self._base + path, data=form, timeout=60)
        self.found.seconds.setdefault(kind, []).append(time.perf_counter() - began)
        if answer.status_code != 200:
            self.found.errors.append(f"phone {self._learner}: {method} {path}: {answer.status_code}")
        return answer.text


def run(minutes: float, half: bool, count: int) -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "node"
        furnish(world.make_node(data, "http://127.0.0.1:9"), Path(name), count)
        port = world.free_port()
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
        base = f"http://127.0.0.1:{port}"
        with world.serving(command, base) as process, _slowed(process.pid, half):
            server = psutil.Process(process.pid)
            cpu_before, own_before = sum(server.cpu_times()[:2]), time.process_time()
            found = all_learn(base, minutes * 60, count)
            cpu = sum(server.cpu_times()[:2]) - cpu_before
            memory = server.memory_full_info().uss
        return [
            *_report(found, minutes, LOG_IN_WITHIN_S),
            (
                "answers called saved / in the log / lost / doubled",
                "{:,} / {:,} / {} / {}".format(*compared(data, found.saved)),
            ),
            ("errors", f"{len(found.errors)} {found.errors[:3] if found.errors else ''}"),
            ("processor seconds of the laptop", f"{cpu:.1f} in {minutes * 60:.0f} s"),
            (f"processor seconds of the {count} phones", f"{time.process_time() - own_before:.1f}"),
            ("memory of the laptop at the end (USS)", f"{memory / 1e6:.1f} MB"),
        ]


def furnish(node: Node, folder: Path, count: int) -> None:
    """Courses, people, and their PINs."""
    world.install_catalogue(folder, node)
    secrets = Secrets(node.store, node.recorder.now, node.config.pepper)
    for number in range(count):
        node.recorder.add_learner(f"Peserta {number + 1}", "Kepala Dusun")
        secrets.set(number, _PIN)
    node.close()


def all_learn(base: str, seconds: float, count: int) -> Found:
    until = time.monotonic() + seconds
    phones = [Phone(base, number, until) for number in range(count)]
    begin = random.Random(1).sample(range(count), count)
    spread = min(LOG_IN_WITHIN_S, seconds / 2) * 0.9 / count
    threads = [
        threading.Thread(target=phone.run, args=(place * spread,))
        for phone, place in zip(phones, begin, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = Found()
    for phone in phones:
        everything.add(phone.found)
    return everything


def compared(data: Path, saved: Counter[Answer]) -> tuple[int, int, int, int]:
    """How many answers pages called saved, how many stand in the log, and how many are missing there or too many."""
    node = open_node(data)
    with node.store.read() as db:
        entries = excerpt(db, node.recorder.log)
    node.close()
    kept = Counter(
        (int(one.fields[0]), int(one.fields[1]), int(one.fields[2]), int(one.fields[3]), int(one.fields[4]))
        for one in entries
        if one.kind == QuestionAnswered.number
    )
    lost, more = saved - kept, kept - saved
    return saved.total(), kept.total(), lost.total(), more.total()


def _report(found: Found, minutes: float, within_s: float) -> list[tuple[str, str]]:
    log_ins = found.seconds.pop("log-in with PIN", [])
    pages = [one for many in found.seconds.values() for one in many]
    rows = [(f"pages in {minutes:g} min, without log-ins: {len(pages):,}", _spread(pages))]
    rows.append((f"log-ins with PIN within {within_s:.0f} s: {len(log_ins)}", _spread(log_ins)))
    rows += [
        (f"- {kind}: {len(many):,}", _spread(many))
        for kind, many in sorted(found.seconds.items(), key=lambda one: -_at(one[1], 0.95))
    ]
    return rows


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    half, most, nearly, worst = (_at(seconds, share) * 1000 for share in (0.5, 0.95, 0.99, 1.0))
    return f"median {half:.0f}, 95 % {most:.0f}, 99 % {nearly:.0f}, most {worst:.0f} ms"


def _at(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextlib.contextmanager
def _slowed(pid: int, half: bool) -> Iterator[None]:
    """One processor, of which the process is stopped half of the time: 25 ms of each 50 ms.

    Written here because cgroups may not be changed in every container, and cpulimit does the same.
    """
    if not half:
        yield
        return
    process, over = psutil.Process(pid), threading.Event()
    process.cpu_affinity([0])

    def pulse() -> None:
        while not over.is_set():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
                time.sleep(_PERIOD_S / 2)
                process.send_signal(signal.SIGCONT)
            time.sleep(_PERIOD_S / 2)

    thread = threading.Thread(target=pulse, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)

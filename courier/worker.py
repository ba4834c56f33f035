"""One thing at a time in the background, while the page tells how far it is: a stick and a slow line take minutes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from courier.errors import BusyError, CourierError
from sync.errors import N_, LontarError
from sync.post import Progress

log = logging.getLogger(__name__)


class Task(StrEnum):
    COLLECT = "collect"
    SEND = "send"
    DELIVER = "deliver"


@dataclass(frozen=True, slots=True)
class Job:
    """What is being done or was done last. `results` are what the steps returned, until one was refused."""

    task: Task
    stick: str
    running: bool = True
    done: int = 0
    total: int = 0
    results: tuple[object, ...] = ()
    error: LontarError | None = None


class Worker:
    """Runs the steps of one job in a thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._thread: threading.Thread | None = None

    def job(self) -> Job | None:
        with self._lock:
            return self._job

    def start(self, task: Task, stick: str, *steps: Callable[[Progress], object]) -> None:
        """Begin a job.

        Raises:
            BusyError: another one is running.
        """
        with self._lock:
            if self._job is not None and self._job.running:
                raise BusyError(
                    N_("Pekerjaan lain masih berjalan. Tunggu sampai selesai, lalu tekan lagi.")
                )
            self._job = Job(task, stick)
            self._thread = threading.Thread(target=self._run, args=(steps,), daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Until the job that runs now is done."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, steps: tuple[Callable[[Progress], object], ...]) -> None:
        results: list[object] = []
        error: LontarError | None = None
        try:
            for step in steps:
                results.append(step(self._progress))
        except LontarError as problem:
            error = problem
        except Exception:
            log.exception("courier")
            error = CourierError(
                N_("Terjadi kesalahan. Data tetap aman di flashdisk dan di laptop ini; coba lagi.")
            )
        with self._lock:
            if self._job is not None:
                self._job = replace(self._job, running=False, results=tuple(results), error=error)

    def _progress(self, done: int, total: int) -> None:
        with self._lock:
            if self._job is not None:
                self._job = replace(self._job, done=done, total=total)

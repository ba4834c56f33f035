"""What the commands of several programs share: a progress bar, and an orderly end for those that serve. Knows no pages."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def bar(label: str, unit_bytes: bool = True) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar on a terminal; nothing where nobody looks."""
    # Here, because a laptop that serves pages for months never shows a bar, and has little memory.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn() if unit_bytes else TextColumn("{task.completed}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextlib.contextmanager
def stop_on_terminate(stop: Callable[[], None]) -> Iterator[None]:
    """Let SIGTERM end the server as Ctrl-C does, so that a clean stop seals what waits."""

    def interrupt(*_: object) -> None:
        stop()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

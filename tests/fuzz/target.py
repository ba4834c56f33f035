"""What is fuzzed: a function of bytes, what it may refuse with, and bytes to begin from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

TARGETS: dict[str, Target] = {}


@dataclass(frozen=True, slots=True)
class Target:
    """`refuses` are the error classes that the parser documents; anything else it raises is a finding."""

    name: str
    run: Callable[[bytes], object]
    corpus: Callable[[], Iterable[bytes]]
    refuses: tuple[type[Exception], ...]
    planted: bool = False
    """A fault put in on purpose, to test the fuzzer; runs only when it is named."""

    def tried(self, data: bytes) -> bool:
        """Whether `data` was accepted; a documented refusal is an answer too, what else is raised comes through."""
        try:
            self.run(data)
        except self.refuses:
            return False
        return True


def target(
    name: str, corpus: Callable[[], Iterable[bytes]], *refuses: type[Exception], planted: bool = False
) -> Callable[[Callable[[bytes], object]], Callable[[bytes], object]]:
    """Registers the function below it as a target."""

    def registered(run: Callable[[bytes], object]) -> Callable[[bytes], object]:
        TARGETS[name] = Target(name, run, corpus, refuses, planted)
        return run

    return registered

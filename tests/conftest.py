from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class _Compiled(BytecodeCache):
    """Templates that an application of this process has compiled before; most tests make one of their own."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._held:
            bucket.bytecode_from_string(self._held[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._held[bucket.key] = bucket.bytecode_to_string()


COMPILED: Final = _Compiled()
Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": COMPILED}


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where nodes write down how far they had come: a new place for each test, not this machine's."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("LONTAR_STATE", str(folder))
    return folder

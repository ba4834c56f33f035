from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where nodes write down how far they had come: a new place for each test, not this machine's."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("LONTAR_STATE", str(folder))
    return folder

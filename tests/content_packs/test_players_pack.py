"""The pack of players: made of exact versions, refused in plain words where npm can't fetch them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from content_packs import players
from content_packs.errors import PackError
from content_packs.outline import LIBRARY
from sync.keys import SigningKey

KEY = SigningKey.from_seed(b"publisher".ljust(32, b"."))


def needs_npm() -> None:
    if shutil.which("npm") is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs npm for the players")
        pytest.skip("no npm on this machine")


def test_every_package_is_locked_to_a_version_and_a_hash() -> None:
    lock = json.loads((Path(players.__file__).parent / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert {name.removeprefix("node_modules/") for name in packages} == {"scorm-again", "h5p-standalone"}
    assert all(one["integrity"].startswith("sha512-") for one in packages.values())


def test_the_pack_holds_the_players_and_their_licences() -> None:
    needs_npm()
    manifest = players.build_players(KEY).manifest
    assert manifest.players == {LIBRARY}
    for name in ("scorm-again/scorm12.min.js", "scorm-again/LICENSE", "h5p-standalone/LICENSE"):
        assert manifest.file(f"{players.FOLDER}/{name}") is not None


def test_without_npm_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PackError, match="Pasang Node"):
        players.build_players(KEY)


def test_a_registry_that_is_not_reached_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What npm says first is shown; its last line only names a log file."""
    needs_npm()
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(PackError, match=r"127\.0\.0\.1:9") as refusal:
        players.build_players(KEY)
    assert "complete log" not in refusal.value.sentence()

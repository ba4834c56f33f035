"""Files of keys and of settings: whole or not at all, for the owner only, and never over another."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.data_folder import DataFolderError, as_toml, read_key, read_settings, write_key


@pytest.mark.parametrize("size", [32, 96])
def test_a_key_is_read_as_it_was_written_and_by_its_owner_only(tmp_path: Path, size: int) -> None:
    path, secret = tmp_path / "device.key", secrets.token_bytes(size)
    write_key(path, secret)
    assert read_key(path, size) == secret
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["device.key"]


def test_no_key_is_written_over_another(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    write_key(path, b"1" * 32)
    with pytest.raises(FileExistsError):
        write_key(path, b"2" * 32)
    assert read_key(path) == b"1" * 32


def test_what_a_power_cut_left_half_written_is_no_key_and_in_nobody_s_way(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    path.with_suffix(".tmp").write_text("0123")
    with pytest.raises(DataFolderError):
        read_key(path)
    write_key(path, b"1" * 32)
    assert read_key(path) == b"1" * 32


@pytest.mark.parametrize("content", ["", "00" * 31, "00" * 33, "zz" * 32, "kunci saya"])
def test_a_damaged_key_is_refused_by_its_path(tmp_path: Path, content: str) -> None:
    path = tmp_path / "device.key"
    path.write_text(content)
    with pytest.raises(DataFolderError) as refusal:
        read_key(path)
    assert refusal.value.details == {"path": path}


@given(
    st.dictionaries(st.sampled_from(["url", "nama", "port"]), st.text(max_size=30) | st.integers(0, 2**62))
)
def test_settings_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, told: dict[str, str | int]
) -> None:
    path = tmp_path_factory.mktemp("told") / "x.toml"
    path.write_text("".join(as_toml(name, value) for name, value in told.items()), encoding="utf-8")
    assert read_settings(path, {"url", "nama", "port"}) == told


@pytest.mark.parametrize("content", [b"url = ", b"\xff\xfe", b'lain = "x"\n'])
def test_settings_that_are_no_toml_or_that_nobody_knows_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(DataFolderError):
        read_settings(path, {"url"})

"""What a node is told: settings that people may change, and keys that only the owner reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.config import FILE, Config, Settings, create, load
from web.data_folder import DataFolderError

SECRETS = {
    name: bytes([number]) * 32
    for number, name in enumerate(("device", "sealing", "pepper", "session"), start=1)
}
PLAIN = Settings("https://pusat.example", "17.05.10.2007", "Lontar Asri")


def made(folder: Path, told: Settings = PLAIN) -> Config:
    return create(folder, told, SECRETS)


def refused(folder: Path, **environment: str) -> str:
    with pytest.raises(DataFolderError) as refusal:
        load(folder, environment)
    assert refusal.value.exit_code == 2
    return refusal.value.sentence()


def test_what_was_created_is_loaded(tmp_path: Path) -> None:
    first = made(tmp_path)
    again = load(tmp_path, {})
    assert again.settings == PLAIN == first.settings
    assert (again.hub_url, again.village, again.village_name) == tuple(vars(PLAIN).values())[:3]
    assert again.device_key.public == first.device_key.public
    assert (again.sealing_seed, again.pepper, again.session_secret) == tuple(SECRETS.values())[1:]


text = st.text(max_size=20)


ports = st.integers(0, 65535)


@given(st.builds(Settings, text, text, text, text, ports, ports, st.sampled_from(["WIB", "WITA", "WIT"])))
@settings(max_examples=80)
def test_any_text_survives_the_file(tmp_path_factory: pytest.TempPathFactory, told: Settings) -> None:
    folder = tmp_path_factory.mktemp("node")
    made(folder, told)
    assert load(folder, {}).settings == told


@pytest.mark.parametrize("zone", ["", "wib", "UTC", "Asia/Jakarta"])
def test_a_zone_that_indonesia_lacks_is_refused(tmp_path: Path, zone: str) -> None:
    made(tmp_path)
    assert "WIB, WITA, atau WIT" in refused(tmp_path, LONTAR_ZONE=zone)


def test_only_the_owner_can_read_the_keys(tmp_path: Path) -> None:
    made(tmp_path / "data")
    keys = tmp_path / "data" / "keys"
    assert keys.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in keys.iterdir()} == {
        f"{name}.key": 0o600 for name in SECRETS
    }


def test_a_folder_in_use_is_not_overwritten(tmp_path: Path) -> None:
    made(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(DataFolderError, match="sudah berisi data Lontar"):
        create(tmp_path, Settings("https://lain.example", "11.01.01.2001"), SECRETS)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_keys_are_not_overwritten_either(tmp_path: Path) -> None:
    """Settings that are gone, or an `init` that the power interrupted: the device's key stays its key."""
    made(tmp_path)
    (tmp_path / FILE).unlink()
    with pytest.raises(DataFolderError):
        made(tmp_path)
    assert (tmp_path / "keys" / "device.key").read_text() == SECRETS["device"].hex() + "\n"


def test_where_no_node_is_the_sentence_says_how_to_make_one(tmp_path: Path) -> None:
    assert f"lontar node init --data {tmp_path}" in refused(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    made(tmp_path)
    environment = {"LONTAR_HUB_URL": "http://lain.example", "LONTAR_PORT": "8090", "LONTAR_ZONE": "WIT"}
    told = load(tmp_path, environment | {"LONTAR_DATA": "x", "LONTAR_LANG": "en", "HOST": "x"}).settings
    assert (told.hub_url, told.port, told.zone) == ("http://lain.example", 8090, "WIT")
    assert (told.village, told.host) == (PLAIN.village, PLAIN.host)


@pytest.mark.parametrize(
    ("settings_text", "said"),
    [
        ('hub_url = "x"\nvillage = "y"\nmode = 1\n', "Pengaturan mode"),
        ('hub_url = "x"\nvillage = "y"\nport = "8080"\n', "Pengaturan port"),
        ('hub_url = "x"\nvillage = "y"\nport = true\n', "Pengaturan port"),
        ('hub_url = 5\nvillage = "y"\n', "Pengaturan hub_url"),
        ('hub_url = "x"\n', "hub_url dan village harus ada"),
        ("", "hub_url dan village harus ada"),
        ("hub_url = ", "tidak dapat dibaca"),
    ],
)
def test_settings_that_are_wrong_are_named(tmp_path: Path, settings_text: str, said: str) -> None:
    made(tmp_path)
    (tmp_path / FILE).write_text(settings_text)
    sentence = refused(tmp_path)
    assert said in sentence
    assert str(tmp_path / FILE) in sentence


def test_settings_that_are_no_text_are_named(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / FILE).write_bytes(b'hub_url = "\xff"\n')
    assert "tidak dapat dibaca" in refused(tmp_path)


def test_a_port_in_the_environment_must_be_a_number(tmp_path: Path) -> None:
    made(tmp_path)
    assert "Pengaturan port" in refused(tmp_path, LONTAR_PORT="delapan")


@pytest.mark.parametrize("name", sorted(SECRETS))
@pytest.mark.parametrize("content", [None, "", "zz", "00" * 31, "é"])
def test_a_key_that_is_missing_or_damaged_is_named(tmp_path: Path, name: str, content: str | None) -> None:
    made(tmp_path)
    path = tmp_path / "keys" / f"{name}.key"
    if content is None:
        path.unlink()
    else:
        path.write_text(content, encoding="utf-8")
    assert refused(tmp_path) == f"Kunci {path} hilang atau rusak."

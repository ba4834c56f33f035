"""Sticks and laptops that replace others, from the command line: what is said, and the number at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from desa import answering, serving_hub
from negeri import CODE, Negeri, a_negeri, device_of, learn
from village import NOBODY_THERE

from hub import registry
from hub.wiring import Hub, now_ms
from lontar import cli
from node.trust import pinned_keyset
from node.wiring import Node, open_node
from sync.entries import OpenReason
from sync.keys import fingerprint
from sync.stick import OUT
from sync.words import words_of


@pytest.fixture
def land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Negeri]:
    monkeypatch.setenv("LONTAR_STATE", str(tmp_path / "asri-state"))
    with a_negeri(tmp_path) as made:
        yield made


def lontar(*words: object) -> Result:
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def one_sentence(done: Result) -> str:
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr.strip()


def code_for(hub: Hub) -> str:
    return str(registry.issue_code(hub.engine, CODE, os.urandom, now_ms()))


def replaced(data: Path, *more: object, hub: str = NOBODY_THERE) -> Result:
    return lontar("node", "replace", "--data", data, "--hub", hub, "--village", CODE, *more)


def test_write_says_what_is_on_the_stick(land: Negeri) -> None:
    node, stick = land.registered(), land.stick()
    learn(node, 5)
    done = lontar("usb", "write", stick.drive, "--data", land.folder / "asri")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("Aman dicabut: ")
    assert stick.parts(OUT)


def test_read_says_what_was_taken(land: Negeri) -> None:
    node, stick = land.registered(), land.stick()
    learn(node, 5)
    node.bundles.write(stick)
    land.visit_centre(stick)
    done = lontar("usb", "read", stick.drive, "--data", land.folder / "asri")
    assert done.exit_code == 0
    assert done.stdout.startswith("1 bagian dibaca: ")
    assert node.recorder.counts().confirmed >= 5


def test_a_laptop_that_knows_no_centre_compares_first(land: Negeri) -> None:
    node, stick = land.village(), land.stick()
    land.visit_centre(stick)
    root = land.hub.config.keyset.root
    asked = lontar("usb", "read", stick.drive, "--data", land.folder / "asri")
    assert asked.exit_code == 1
    assert fingerprint(root) in one_sentence(asked)
    assert " ".join(words_of(root)) in asked.stderr
    wrong = lontar("usb", "write", stick.drive, "--data", land.folder / "asri", "--trust", "AAAA-BBBB")
    assert wrong.exit_code == 1
    assert "bukan yang disebut" in one_sentence(wrong)
    assert pinned_keyset(node.store) is None
    typed = fingerprint(root).lower().replace("-", " ")
    done = lontar("usb", "write", stick.drive, "--data", land.folder / "asri", "--trust", typed)
    assert done.exit_code == 0
    assert pinned_keyset(node.store) == land.hub.config.keyset


def test_without_a_keyset_anywhere_it_says_what_to_bring(land: Negeri) -> None:
    land.village()
    done = lontar("usb", "write", land.drive(), "--data", land.folder / "asri")
    assert done.exit_code == 1
    assert "belum mengenal kunci pusat" in one_sentence(done)
    named = lontar("usb", "write", land.drive(), "--data", land.folder / "asri", "--trust", "AAAA")
    assert "tidak membawa kunci pusat" in one_sentence(named)


def test_a_drive_that_cannot_be_written_ends_with_nine(land: Negeri) -> None:
    land.registered()
    (land.drive() / "LONTAR").write_text("a file where the folder should be")
    done = lontar("usb", "write", land.drive(), "--data", land.folder / "asri")
    assert done.exit_code == 9
    one_sentence(done)


@pytest.mark.parametrize("verb", ["read", "write"])
def test_a_folder_of_neither_and_a_drive_that_is_not_there_end_with_two(land: Negeri, verb: str) -> None:
    done = lontar("usb", verb, land.drive(), "--data", land.folder / "kosong")
    assert done.exit_code == 2
    assert "bukan folder data" in one_sentence(done)
    land.village()
    assert lontar("usb", verb, land.folder / "none", "--data", land.folder / "asri").exit_code == 2


def test_options_of_the_other_side_are_refused(land: Negeri) -> None:
    land.village()
    done = lontar("usb", "write", land.drive(), "--data", land.folder / "asri", "--region", "17")
    assert (done.exit_code, "hanya untuk pusat" in one_sentence(done)) == (2, True)
    done = lontar("usb", "read", land.drive(), "--data", land.folder / "hub", "--trust", "AAAA")
    assert (done.exit_code, "hanya untuk laptop desa" in one_sentence(done)) == (2, True)


def test_a_replaced_laptop_fetches_the_history_and_learners_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONTAR_STATE", str(tmp_path / "state"))
    with serving_hub(tmp_path / "hub") as (hub, url):
        land = Negeri(tmp_path, hub)
        old = land.village(hub_url=url)
        old.worker.enrol(code_for(hub))
        learn(old, 8)
        old.worker.exchange()
        old.close()
        done = replaced(tmp_path / "baru", "--code", code_for(hub), hub=url)
        assert done.exit_code == 0, done.stderr
        assert "Laptop pengganti siap" in done.stdout
        assert "Terdaftar di pusat" in done.stdout
        assert lontar("sync", "--data", tmp_path / "baru").exit_code == 0
        new = open_node(tmp_path / "baru")
        assert [one.name for one in new.learning.learners()] == ["Budi Santoso", "Siti Aminah"]
        assert answers_of(new) == 8
        assert any("menggantikan laptop lain" in alert for alert in new.worker.state().alerts)
        new.close()


def test_a_replaced_laptop_fetches_the_history_by_stick_too(
    land: Negeri, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, stick = land.registered(), land.stick()
    learn(old, 8)
    land.told(old)
    monkeypatch.setenv("LONTAR_STATE", str(land.folder / "baru-state"))
    assert replaced(land.folder / "baru").exit_code == 0
    new = land.opened("baru")
    assert new.store.get("new_log") == OpenReason.REPLACED
    land.visit_centre(stick)
    new.bundles.trust(stick)
    new.bundles.write(stick)
    land.visit_centre(stick)
    registry.approve(land.hub.engine, registry.find(land.hub.engine, device_hex(new)), now_ms())
    land.visit_centre(stick)
    new.bundles.read(stick)
    assert answers_of(new) == 8


def test_without_a_signal_the_code_is_kept_and_used_at_the_first_contact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONTAR_STATE", str(tmp_path / "state"))
    with serving_hub(tmp_path / "hub") as (hub, url):
        data = tmp_path / "desa"
        done = lontar(
            "node",
            "init",
            "--data",
            data,
            "--hub",
            NOBODY_THERE,
            "--village",
            CODE,
            "--code",
            code_for(hub),
        )
        assert done.exit_code == 0
        assert "Kode disimpan" in done.stdout
        node = open_node(data, None, os.environ | {"LONTAR_HUB_URL": url})
        node.worker.exchange()
        assert node.worker.state().registration == "registered"
        assert pinned_keyset(node.store) == hub.config.keyset
        assert node.store.get("registration_code") is None
        node.close()


def test_a_kept_code_is_never_given_up_for_a_centre_that_does_not_know_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONTAR_STATE", str(tmp_path / "state"))
    with serving_hub(tmp_path / "hub") as (_, url):
        data = tmp_path / "desa"
        lontar(
            "node",
            "init",
            "--data",
            data,
            "--hub",
            NOBODY_THERE,
            "--village",
            CODE,
            "--code",
            "7KQ2M4TX9RHB",
        )
        monkeypatch.setenv("LONTAR_HUB_URL", url)
        assert lontar("sync", "--data", data).exit_code == 6
        node = open_node(data)
        assert pinned_keyset(node.store) is None
        assert node.store.get("registration_code") == "7KQ2M4TX9RHB"
        node.close()


@pytest.mark.parametrize("verb", ["init", "replace"])
def test_a_wrong_code_ends_with_six_after_the_sentence(
    tmp_path: Path, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONTAR_STATE", str(tmp_path / "state"))
    with serving_hub(tmp_path / "hub") as (_, url):
        words = ("--hub", url, "--village", CODE, "--code", "7KQ2M4TX9RHB")
        done = lontar("node", verb, "--data", tmp_path / "desa", *words)
    assert done.exit_code == 6
    assert "Kode pendaftaran ini salah" in one_sentence(done)
    node = open_node(tmp_path / "desa")
    assert node.store.get("registration_code") is None
    node.close()


def test_where_something_else_answers_the_code_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONTAR_STATE", str(tmp_path / "state"))
    with answering(200, "text/html", b"<html>Masuk ke Wi-Fi desa</html>") as url:
        words = ("--hub", url, "--village", CODE, "--code", "7KQ2M4TX9RHB")
        done = lontar("node", "init", "--data", tmp_path / "desa", *words)
    assert done.exit_code == 0
    assert "Kode disimpan" in done.stdout


def test_a_request_on_its_way_by_stick_does_not_keep_a_signal_from_being_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONTAR_STATE", str(tmp_path / "state"))
    with serving_hub(tmp_path / "hub") as (hub, url):
        land = Negeri(tmp_path, hub)
        node, stick = land.village(hub_url=url), land.stick()
        land.visit_centre(stick)
        node.bundles.trust(stick)
        node.bundles.write(stick)
        node.worker.exchange()
        assert node.worker.state().registration == "waiting"
        registry.approve(hub.engine, registry.find(hub.engine, device_hex(node)), now_ms())
        node.worker.exchange()
        assert node.worker.state().registration == "registered"
        node.close()


def device_hex(node: Node) -> str:
    return device_of(node).hex()


def answers_of(node: Node) -> int:
    with node.store.read() as db:
        return int(db.execute("SELECT coalesce(sum(answers), 0) FROM lesson_progress").fetchone()[0])

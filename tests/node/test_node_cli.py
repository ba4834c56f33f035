"""The laptop's commands: what they say, and the number they end with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from desa import VILLAGE, answering, plain_node, serving_hub
from village import NOBODY_THERE, made_village

from hub import registry
from hub.wiring import Hub, now_ms
from lontar import cli
from node.wiring import open_node
from sync.entries import LessonOpened
from sync.keys import key_id

LINE = {
    "id": "1",
    "at": "2026-03-02T08:00:00+07:00",
    "learner": "siti",
    "course": "kas-desa",
    "lesson": "buku-kas",
    "kind": "lesson_opened",
}


def lontar(*words: object, typed: str | bytes = "") -> Result:
    """A command; it never ends in anything but a number and a sentence."""
    done = CliRunner().invoke(cli, [str(word) for word in words], input=typed)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def init(data: Path, *more: object, hub: str = NOBODY_THERE, village: str = VILLAGE) -> Result:
    return lontar("node", "init", "--data", data, "--hub", hub, "--village", village, *more)


def one_sentence(done: Result) -> str:
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr.strip()


def code_for(hub: Hub, village: str = VILLAGE) -> str:
    return str(registry.issue_code(hub.engine, village, lambda size: bytes(range(size)), now_ms()))


def test_init_makes_a_node_that_can_be_used(tmp_path: Path) -> None:
    done = init(tmp_path / "desa", "--village-name", "Lontar Asri", "--port", 8090)
    assert (done.exit_code, done.stdout) == (0, f"Perangkat siap di {tmp_path / 'desa'}.\n")
    node = open_node(tmp_path / "desa")
    assert (node.config.village_name, node.config.settings.port) == ("Lontar Asri", 8090)
    node.close()


@pytest.mark.parametrize(
    "village", ["desa kami", "17.05.10", "17.05.10.20077", "17.05.10.2007 ", "1705102007"]
)
def test_init_refuses_a_village_code_that_is_none(tmp_path: Path, village: str) -> None:
    done = init(tmp_path / "desa", village=village)
    assert done.exit_code == 2
    assert "17.05.10.2007" in one_sentence(done)
    assert not (tmp_path / "desa").exists()


@pytest.mark.parametrize("hub", ["pusat.example", "ftp://pusat.example", ""])
def test_init_refuses_an_address_that_is_none(tmp_path: Path, hub: str) -> None:
    done = init(tmp_path / "desa", hub=hub)
    assert (done.exit_code, one_sentence(done)) == (2, "Alamat pusat harus diawali http:// atau https://.")
    assert not (tmp_path / "desa").exists()


def test_init_refuses_a_code_that_can_be_none_before_it_makes_anything(tmp_path: Path) -> None:
    done = init(tmp_path / "desa", "--code", "7KQ2")
    assert done.exit_code == 1
    assert "12 huruf atau angka" in one_sentence(done)
    assert not (tmp_path / "desa").exists()


def test_init_refuses_a_folder_in_use(tmp_path: Path) -> None:
    init(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    done = init(tmp_path)
    assert (done.exit_code, one_sentence(done)) == (2, f"Folder {tmp_path} sudah berisi data Lontar.")
    assert {path: path.read_bytes() for path in (tmp_path / "keys").iterdir()} == before


def test_init_without_a_signal_makes_the_node_and_says_how_to_register_later(tmp_path: Path) -> None:
    done = init(tmp_path, "--code", "7KQ2-M4TX-9RHB")
    assert done.exit_code == 0
    assert "tidak dapat dihubungi" in done.stderr
    assert f"lontar node register --data {tmp_path} --code 7KQ2-M4TX-9RHB" in done.output


@pytest.mark.parametrize(
    "words",
    [("node", "status"), ("node", "register"), ("node", "record", "-"), ("sync",)],
)
def test_where_no_node_is_each_command_says_how_to_make_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = lontar(*words, "--data", tmp_path / "kosong")
    assert done.exit_code == 2
    assert f"lontar node init --data {tmp_path / 'kosong'}" in one_sentence(done)
    assert not (tmp_path / "kosong").exists()


def test_status_tells_what_is_saved_sent_and_confirmed(tmp_path: Path) -> None:
    node = made_village(tmp_path, ("Siti", ""), ("Budi", ""))
    node.recorder.record(LessonOpened(0, 0, 1))
    node.close()
    done = lontar("node", "status", "--data", tmp_path / "data")
    assert done.exit_code == 0
    told = {line[:28].strip(): line[28:].strip() for line in done.stdout.splitlines()}
    assert told["Desa"] == "17.05.10.2007 Lontar Asri"
    assert (told["Peserta"], told["Pelatihan"]) == ("2", "1")
    assert (told["Tersimpan di perangkat ini"], told["Terkirim"], told["Dikonfirmasi"]) == ("6", "0", "0")
    assert told["Kontak terakhir"] == "Belum pernah"


def test_status_repeats_why_the_last_attempt_failed(tmp_path: Path) -> None:
    plain_node(tmp_path).close()
    said = one_sentence(lontar("sync", "--data", tmp_path))
    assert lontar("node", "status", "--data", tmp_path).stdout.splitlines()[-1] == said


def test_record_reads_a_file_or_what_is_typed_and_counts(tmp_path: Path) -> None:
    made_village(tmp_path).close()
    file = tmp_path / "kegiatan.jsonl"
    file.write_text(json.dumps(LINE) + "\n\n" + json.dumps(LINE | {"id": "2"}) + "\n")
    first = lontar("node", "record", file, "--data", tmp_path / "data")
    assert first.stdout == "2 baris dibaca: 2 dicatat, 0 sudah ada, 1 peserta baru.\n"
    assert (first.exit_code, first.stderr) == (0, ""), "no bar where nobody looks"
    again = lontar("node", "record", "-", "--data", tmp_path / "data", typed=file.read_bytes())
    assert again.stdout == "2 baris dibaca: 0 dicatat, 2 sudah ada, 0 peserta baru.\n"


def test_record_names_the_line_of_the_file_that_is_wrong(tmp_path: Path) -> None:
    made_village(tmp_path).close()
    done = lontar(
        "node", "record", "-", "--data", tmp_path / "data", typed=f"\n\n{json.dumps(LINE)}\n\nkegiatan\n"
    )
    assert done.exit_code == 2
    assert one_sentence(done).startswith("Baris 5 tidak dapat dibaca")


def test_record_needs_a_file_that_is_there(tmp_path: Path) -> None:
    made_village(tmp_path).close()
    assert lontar("node", "record", tmp_path / "tidak-ada", "--data", tmp_path / "data").exit_code == 2


def test_a_code_registers_and_sync_confirms(tmp_path: Path) -> None:
    with serving_hub(tmp_path / "hub") as (hub, url):
        done = init(tmp_path / "data", "--code", code_for(hub), hub=url)
        assert done.exit_code == 0
        assert "Terdaftar di pusat. Sidik kunci pusat: " in done.stdout
        sent = lontar("sync", "--data", tmp_path / "data")
        assert sent.exit_code == 0
        assert "catatan dikonfirmasi pusat" in sent.stdout
        status = lontar("node", "status", "--data", tmp_path / "data").stdout
        assert "Belum pernah" not in status


def test_a_wrong_code_ends_with_six_and_the_right_one_works_afterwards(tmp_path: Path) -> None:
    with serving_hub(tmp_path / "hub") as (hub, url):
        init(tmp_path / "data", hub=url)
        right = code_for(hub)
        wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
        for code in (wrong, "7KQ2-M4TX-9RHB"):
            done = lontar("node", "register", "--data", tmp_path / "data", "--code", code)
            assert done.exit_code == 6
            one_sentence(done)
        done = lontar("node", "register", "--data", tmp_path / "data", "--code", right.lower())
        assert (done.exit_code, done.stderr) == (0, "")


def test_without_a_code_register_waits_and_sync_ends_with_six_until_the_device_is_let_in(
    tmp_path: Path,
) -> None:
    with serving_hub(tmp_path / "hub") as (hub, url):
        init(tmp_path / "data", hub=url)
        asked = lontar("node", "register", "--data", tmp_path / "data")
        assert asked.exit_code == 0
        assert "menunggu persetujuan pusat" in asked.stdout
        waiting = lontar("sync", "--data", tmp_path / "data")
        assert (waiting.exit_code, waiting.stderr) == (6, "Perangkat ini menunggu persetujuan pusat.\n")
        node = open_node(tmp_path / "data")
        registry.approve(hub.engine, key_id(node.config.device_key.public), now_ms())
        node.close()
        assert lontar("sync", "--data", tmp_path / "data").exit_code == 0


@pytest.mark.parametrize(
    "words", [("sync",), ("node", "register"), ("node", "register", "--code", "7KQ2M4TX9RHB")]
)
def test_where_no_hub_answers_it_ends_with_four(tmp_path: Path, words: tuple[str, ...]) -> None:
    plain_node(tmp_path).close()
    done = lontar(*words, "--data", tmp_path)
    assert done.exit_code == 4
    assert "Pekerjaan aman di perangkat ini" in one_sentence(done)


@pytest.mark.parametrize("words", [("sync",), ("node", "register")])
@pytest.mark.parametrize(
    ("status", "media", "body"),
    [
        (200, "text/html", b"<html>Masuk ke Wi-Fi desa</html>"),
        (404, "text/html", b"<h1>Not Found</h1>"),
    ],
)
def test_where_something_else_answers_it_ends_with_five(
    tmp_path: Path, words: tuple[str, ...], status: int, media: str, body: bytes
) -> None:
    with answering(status, media, body) as url:
        plain_node(tmp_path, url).close()
        done = lontar(*words, "--data", tmp_path)
    assert done.exit_code == 5
    assert "bukan pusat Lontar" in one_sentence(done)


def test_a_newer_database_and_a_damaged_one_have_numbers_of_their_own(tmp_path: Path) -> None:
    node = plain_node(tmp_path)
    with node.store.write() as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('lontar-node', 'm999', '')"
        )
        db.execute("PRAGMA user_version=999")
    node.close()
    assert lontar("node", "status", "--data", tmp_path).exit_code == 3
    (tmp_path / "lontar.db").write_bytes(b"bukan basis data" * 100)
    done = lontar("node", "status", "--data", tmp_path)
    assert done.exit_code == 8
    one_sentence(done)

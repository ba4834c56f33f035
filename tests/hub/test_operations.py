"""What those who run a centre hold to: it says whether it lives, is ready and how it does, and what its log tells."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from centre import made_hub
from click.testing import CliRunner
from device import VILLAGE, Device
from office import world
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import QueuePool, func, select, text
from state import merged_state
from test_endpoint import pages
from test_packs_hub import course, publisher
from test_pages import browser, counted, enter, village

from hub import (
    alerts,
    config,
    db,
    health,
    invitations,
    log_lines,
    packs,
    rebuilding,
    registry,
    schema,
    tidy,
)
from hub.app import create_app
from hub.cli import hub as hub_command
from hub.endpoint import Endpoint
from hub.errors import BusyError
from hub.roles import NATIONAL
from hub.schema_base import metadata
from hub.wiring import Hub, now_ms
from web.data_folder import DataFolderError

DAY_MS = 24 * 3600 * 1000
TOKEN = "rahasia-pemantau"


def ask(hub: Hub, path: str, token: str = "", method: str = "GET") -> tuple[int, dict[str, str], str]:
    got: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        got.update(status=int(status[:3]), headers=dict(headers))

    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_HOST": "elsewhere.example"}
    if token:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    body = b"".join(Endpoint(hub.intake, pages)(environ, start_response))
    return got["status"], got["headers"], body.decode()


def watched(hub: Hub) -> Hub:
    """The hub with a token for its figures in the settings."""
    told = dataclasses.replace(hub.config, metrics_token=TOKEN)
    return dataclasses.replace(hub, config=told, intake=type(hub.intake)(hub.engine, told, now_ms))


def figures(hub: Hub) -> dict[str, float]:
    """What Prometheus' own reader makes of the answer: value by name and label."""
    status, headers, body = ask(watched(hub), health.FIGURES, TOKEN)
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = {}
    for family in text_string_to_metric_families(body):
        assert family.documentation and family.type == "gauge"
        for sample in family.samples:
            found[" ".join((sample.name.removeprefix("lontar_hub_"), *sample.labels.values()))] = (
                sample.value
            )
    return found


# Alive and ready


def test_a_hub_that_answers_lives_even_without_its_database(hub: Hub) -> None:
    with counted(hub) as statements:
        assert ask(hub, "/sehat")[0] == 200
    assert not statements


def test_it_is_ready_when_its_database_is_of_this_version(hub: Hub) -> None:
    assert ask(hub, "/siap")[0] == 200
    with db.writing(hub.engine) as connection:
        connection.execute(text("update alembic_version set version_num = '0001'"))
    status, _, sentence = ask(hub, "/siap")
    assert status == 503
    assert sentence.count("\n") == 1 and "lontar hub upgrade" in sentence
    with db.writing(hub.engine) as connection:
        connection.execute(text("delete from alembic_version"))
    assert ask(hub, "/siap")[0] == 503


@pytest.mark.parametrize("url", ["sqlite:////nowhere/hub.db", "postgresql+psycopg://x@127.0.0.1:1/x"])
def test_it_is_not_ready_without_its_database_and_says_so_in_one_sentence(url: str) -> None:
    engine = db.open_engine(url)
    assert health.why_not_ready(engine) == "Basis data tidak dapat dihubungi."
    engine.dispose()


def test_these_addresses_only_tell(hub: Hub) -> None:
    for path in health.PATHS:
        assert ask(watched(hub), path, TOKEN, "POST")[0] == 405
        assert ask(watched(hub), path, TOKEN, "HEAD")[0] == 200


# Figures


def test_figures_are_for_whoever_names_the_token_and_for_nobody_without_one(hub: Hub) -> None:
    assert ask(hub, "/metrik")[0] == 404
    assert ask(hub, "/metrik", TOKEN)[0] == 404
    for wrong in ("", "x", TOKEN[:-1], "ü"):
        status, headers, body = ask(watched(hub), "/metrik", wrong)
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "lontar_hub" not in body
    assert ask(watched(hub), "/metrik", TOKEN)[0] == 200


def test_the_token_comes_from_the_settings_or_the_environment(tmp_path: Path) -> None:
    made = made_hub(tmp_path / "hub")
    file = tmp_path / "hub" / "hub.toml"
    assert made.config.metrics_token == ""
    assert config.load(tmp_path / "hub", {"LONTAR_HUB_METRICS_TOKEN": "a"}).metrics_token == "a"
    file.write_text(file.read_text() + 'metrics_token = "b"\nkeep_alerts_days = 30\n')
    assert config.load(tmp_path / "hub", {}).metrics_token == "b"
    assert config.load(tmp_path / "hub", {}).keep_alerts_days == 30
    for wrong in ("0", "-1", "x", "1.5", "99999999"):
        with pytest.raises(DataFolderError, match="keep_alerts_days"):
            config.load(tmp_path / "hub", {"LONTAR_HUB_KEEP_ALERTS_DAYS": wrong})
    made.close()


def test_an_empty_hub_has_figures(hub: Hub) -> None:
    found = figures(hub)
    assert found["devices registered"] == found["entries merged"] == found["projection_lag_seconds"] == 0
    assert "last_intake_seconds" not in found


def test_figures_say_what_is_held_and_what_waits(hub: Hub) -> None:
    device, before = world(hub).device, now_ms() / 1000
    browser(hub)
    found = figures(hub)
    assert (found["devices registered"], found["devices waiting"]) == (1, 1)
    assert found["entries merged"] == len(device.entries)
    assert found["alerts_open fork"] == 1
    assert found["bundles_overdue"] == 0
    assert before - 60 < found["last_intake_seconds"] <= before
    assert found["projection_waiting_segments"] == 0


def test_projection_that_lags_behind_intake_says_how_far(hub: Hub) -> None:
    device = Device(1).open(2).registered(hub)
    device.send(hub, merged=False)
    with db.writing(hub.engine) as connection:
        connection.execute(schema.segments.update().values(received_ms=now_ms() - 90_000))
    found = figures(hub)
    assert (found["projection_waiting_segments"], found["entries stored"]) == (1, len(device.entries))
    assert 90 <= found["projection_lag_seconds"] < 150


def test_what_came_from_strangers_is_counted_apart(hub: Hub) -> None:
    stranger = Device(3).open(1)
    stranger.ask_to_register(hub)
    stranger.send(hub, merged=False)
    assert figures(hub)["entries quarantined"] == len(stranger.entries)


def test_figures_take_the_same_few_statements_however_much_is_held(hub: Hub) -> None:
    def cost() -> int:
        with counted(hub) as statements:
            figures(hub)
        assert not any("data" in re.split(r"\W+", one) for one in statements)
        return len(statements)

    few = cost()
    for seed in range(1, 6):
        village(hub, seed)
    assert cost() == few <= 12


# The log


def line(record: logging.LogRecord) -> dict[str, Any]:
    written = log_lines.Lines().format(record)
    assert "\n" not in written
    found: dict[str, Any] = json.loads(written)
    return found


def test_a_line_is_one_object_whatever_happened() -> None:
    try:
        raise ValueError("dua\nbaris")
    except ValueError:
        record = logging.LogRecord("hub", logging.ERROR, "x", 1, "%s\n%s", ("a", "b"), sys.exc_info())
    found = line(record)
    assert found["message"] == "a\nb"
    assert (found["level"], found["logger"], found["pid"]) == ("error", "hub", os.getpid())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["time"])
    assert "ValueError" in found["trace"]


def test_paths_in_the_log_never_tell_about_whom(hub: Hub) -> None:
    app = create_app(hub)
    told = {
        "/undangan/sangat-rahasia?x=1": "/undangan/<token>",
        "/akun/Bu Siti/akhiri": "?",
        "/wilayah/17.05.10": "/wilayah/17.05.10",
        f"/peserta/{'ab' * 16}": "/peserta/<number>",
        "/P/NAMA-SESEORANG": "/P/<code>",
        "/peringatan": "/peringatan",
        "/undangan/sangat-rahasia/lagi": "?",
        "/pelatihan/17": "/pelatihan/17",
    }
    for path, shown in told.items():
        environ: dict[str, Any] = {}
        with app.test_request_context(path, environ_overrides=environ) as context:
            app.preprocess_request()
            assert context.request.environ[log_lines.SHOWN] == shown, path


def test_errors_in_the_log_say_neither_addresses_nor_values(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(hub)

    @app.get("/rusak/<name>")
    def broken(name: str) -> str:
        with db.writing(hub.engine) as connection:
            connection.execute(text("insert into settings values (:name, null)"), {"name": name})
        return ""

    client = browser(hub)
    client.application = app
    assert client.get("/rusak/Siti").status_code == 500
    written = [log_lines.Lines().format(record) for record in caplog.records]
    assert any("/rusak/<name>" in one for one in written)
    assert not any("Siti" in one for one in written)


# A real server


class Listening:
    """A socket that outlives the servers to which it is handed, as systemd's do."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def served(self, data: Path, log: Path, *words: str) -> subprocess.Popen[bytes]:
        """`lontar hub serve` with this as its third file, named by LISTEN_FDS."""
        command = [sys.executable, "-m", "lontar", "hub", "serve", "--data", str(data), *words]
        starter = (
            "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ.update(LISTEN_FDS='1',"
            " LISTEN_PID=str(os.getpid())); os.execv(sys.argv[2], sys.argv[2:])"
        )
        with log.open("ab") as file:
            return subprocess.Popen(
                [sys.executable, "-c", starter, str(self.socket.fileno()), *command],
                pass_fds=[self.socket.fileno()],
                stdout=file,
                stderr=file,
            )

    def ask(self, path: str, within_s: float = 60) -> int:
        try:
            with urllib.request.urlopen(self.address + path, timeout=within_s) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as problem:
            return problem.code


@contextlib.contextmanager
def stopped(server: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(90) == 0


def test_a_server_writes_json_lines_without_tokens_in_them(tmp_path: Path) -> None:
    made_hub(tmp_path / "hub").close()
    listening, log = Listening(), tmp_path / "log"
    server = listening.served(tmp_path / "hub", log, "--workers", "1", "--log", "json")
    with stopped(server):
        assert listening.ask("/siap?x=rahasia") == 200
        assert listening.ask("/undangan/sangat-rahasia?y=rahasia") == 404
    lines = [json.loads(one) for one in log.read_text().splitlines() if one.startswith("{")]
    requests = [one for one in lines if one["logger"] == "gunicorn.access"]
    assert [(one["method"], one["path"], one["status"]) for one in requests] == [
        ("GET", "/siap", 200),
        ("GET", "/undangan/<token>", 404),
    ]
    for one in requests:
        assert one["ms"] >= 0 and one["bytes"] > 0 and one["pid"] != server.pid
    assert {one["logger"] for one in lines} == {"gunicorn.access", "gunicorn.error"}
    assert "rahasia" not in log.read_text()
    # Besides them there is only what the command says to a person.
    assert len(log.read_text().splitlines()) == len(lines) + 1
    listening.socket.close()


def test_plain_lines_stay_as_they_were(tmp_path: Path) -> None:
    made_hub(tmp_path / "hub").close()
    listening, log = Listening(), tmp_path / "log"
    with stopped(listening.served(tmp_path / "hub", log, "--workers", "1")):
        assert listening.ask("/sehat") == 200
    assert len(log.read_text().splitlines()) == 1
    listening.socket.close()


def test_no_request_is_lost_when_a_new_version_takes_over(tmp_path: Path) -> None:
    """The socket stays with systemd; who asks in between waits for the next server."""
    made_hub(tmp_path / "hub").close()
    listening, answers, is_over = Listening(), [], threading.Event()

    def keep_asking() -> None:
        while not is_over.is_set():
            answers.append(listening.ask("/siap"))

    server = listening.served(tmp_path / "hub", tmp_path / "log", "--workers", "1")
    assert listening.ask("/siap") == 200
    asking = [threading.Thread(target=keep_asking) for _ in range(4)]
    for one in asking:
        one.start()
    for _ in range(2):
        until = len(answers) + 40
        while len(answers) < until:
            time.sleep(0.01)
        server.send_signal(signal.SIGTERM)
        assert server.wait(90) == 0
        server = listening.served(tmp_path / "hub", tmp_path / "log", "--workers", "1")
    assert listening.ask("/siap") == 200
    is_over.set()
    for one in asking:
        one.join()
    with stopped(server):
        assert set(answers) == {200}
    listening.socket.close()


def test_a_database_that_is_away_refuses_figures_too(hub: Hub) -> None:
    away = db.open_engine("sqlite:////nowhere/hub.db")
    lost = dataclasses.replace(hub, engine=away)
    lost = dataclasses.replace(lost, intake=type(hub.intake)(away, watched(hub).config, now_ms))
    assert ask(lost, "/metrik", TOKEN)[0] == 503
    with pytest.raises(BusyError), db.reading(away):
        pass


def test_a_page_says_that_the_database_is_away_even_to_somebody_who_is_logged_in(hub: Hub) -> None:
    cookie = browser(hub).get_cookie("lontar_hub")
    assert cookie is not None
    lost = create_app(
        dataclasses.replace(hub, engine=db.open_engine("sqlite:////nowhere/hub.db"))
    ).test_client()
    lost.set_cookie("lontar_hub", cookie.value)
    page = lost.get("/perangkat")
    assert page.status_code == 503
    assert page.headers["Retry-After"].isdecimal()
    assert "Basis data pusat sedang tidak dapat menyimpan" in page.text


def test_whoever_gets_none_of_the_connections_is_told_to_come_later(hub: Hub) -> None:
    pool = hub.engine.pool
    assert isinstance(pool, QueuePool)
    pool._timeout = 0.05
    with contextlib.ExitStack() as held:
        for _ in range(15):
            held.enter_context(hub.engine.connect())
        with pytest.raises(BusyError), db.reading(hub.engine):
            pass


# What need not be kept


def tidied(hub: Hub, days: int, is_done: bool = True) -> dict[str, int]:
    """What goes when the hub is tidied so many days from now."""
    return dict(tidy.tidy(hub.engine, hub.config, now_ms() + days * DAY_MS, is_done))


def everything(hub: Hub) -> dict[str, int]:
    with db.reading(hub.engine) as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def untidy(hub: Hub) -> Device:
    """A hub with one of everything that ends: invitation, code, wrong guess, sitting, alerts dealt with."""
    device = village(hub)
    invitations.make(hub.engine, "Bu Siti", NATIONAL, secrets.token_urlsafe, now_ms())
    registry.issue_code(hub.engine, VILLAGE, secrets.token_bytes, now_ms())
    browser(hub)
    enter(browser(hub, logged_in=False), "kata-sandi-keliru")
    with db.writing(hub.engine) as connection:
        for number, kind in enumerate(
            (alerts.FORK, alerts.BEHIND, alerts.UNREADABLE, alerts.STRANGE_KIND), 1
        ):
            alerts.raise_alert(connection, kind, 1, b"x", now_ms())
            if kind != alerts.BEHIND:
                alerts.handle(connection, number, "operator", now_ms())
    return device


def test_what_has_ended_goes_and_nothing_else(hub: Hub) -> None:
    untidy(hub)
    before = everything(hub)
    assert set(tidied(hub, 0).values()) == {0}
    assert everything(hub) == before
    gone = tidied(hub, hub.config.keep_alerts_days + 1)
    assert gone == {
        "Undangan yang lewat": 1,
        "Kode pendaftaran yang lewat": 1,
        "Percobaan masuk yang lama": 1,
        "Sesi masuk yang berakhir": 1,
        "Peringatan lama yang ditangani": 1,
        "Versi lama pelatihan": 0,
        "Bita paket yang dibebaskan": 0,
    }
    after = everything(hub)
    changed = {name: count - after[name] for name, count in before.items() if count != after[name]}
    assert changed == {"settings": 2, "sittings": 1, "registration_codes": 1, "alerts": 1}


def test_an_alert_that_waits_stays_however_old_it_is(hub: Hub) -> None:
    untidy(hub)
    tidied(hub, 10_000)
    with db.reading(hub.engine) as connection:
        kinds = (
            connection.execute(select(schema.alerts.c.kind).order_by(schema.alerts.c.pk)).scalars().all()
        )
    # Those that reading the segments again would raise stay dealt with.
    assert kinds == [alerts.BEHIND, alerts.UNREADABLE, alerts.STRANGE_KIND]


def test_counting_takes_nothing_away(hub: Hub) -> None:
    untidy(hub)
    before = everything(hub)
    counted_only = tidied(hub, 10_000, is_done=False)
    assert everything(hub) == before
    gone = tidied(hub, 10_000)
    assert counted_only == {name: count for name, count in gone.items() if name in counted_only}
    assert sum(tidied(hub, 10_000).values()) == 0


def test_what_devices_sent_stays_whatever_is_tidied(hub: Hub) -> None:
    untidy(hub)
    before = merged_state(hub)
    tidied(hub, 10_000)
    rebuilding.everything(hub.engine)
    after = merged_state(hub)
    assert {**after, "alerts": ()} == {**before, "alerts": ()}


def test_versions_that_were_replaced_long_ago_go_with_the_pieces_that_only_they_have(
    hub: Hub, tmp_path: Path
) -> None:
    key, store = publisher(hub), packs.store_of(hub.config)
    files = [course(tmp_path / f"c{version}", key, version)[0] for version in (1, 2, 3)]
    other, _ = course(tmp_path / "o", key, 5, "lain")
    hashes = [packs.publish(hub.engine, hub.config, file, [""], now_ms())[1] for file in files[:2]]
    # Looked at, but promised to nobody yet.
    packs.keep(hub.engine, hub.config, files[2])
    packs.keep(hub.engine, hub.config, other)

    def held() -> list[int]:
        return sorted(one.manifest.version for one in store.packs())

    assert tidied(hub, 100)["Versi lama pelatihan"] == 0, "still promised"
    packs.withdraw(hub.engine, hashes[0], "diganti", now_ms())
    assert tidied(hub, 29)["Versi lama pelatihan"] == 0, "somebody may still be fetching it"
    assert tidied(hub, 31, is_done=False)["Versi lama pelatihan"] == 1
    assert held() == [1, 2, 3, 5]
    pieces = len(list((store.folder / "pieces").rglob("*")))
    gone = tidied(hub, 31)
    assert (gone["Versi lama pelatihan"], gone["Bita paket yang dibebaskan"] > 0) == (1, True)
    assert held() == [2, 3, 5]
    assert len(list((store.folder / "pieces").rglob("*"))) < pieces
    for one in packs.store_of(hub.config).packs():
        assert one.lesson(1)
    # Given out again, it is whole again.
    packs.publish(hub.engine, hub.config, files[0], [""], now_ms())
    assert [one.lesson(1) for one in packs.store_of(hub.config).packs() if one.manifest.version == 1]


def test_the_command_counts_first_and_does_it_when_told(tmp_path: Path) -> None:
    made_hub(tmp_path / "hub").close()
    for words, is_told in ((), True), (("--do-it",), False):
        done = CliRunner().invoke(hub_command, ["tidy", "--data", str(tmp_path / "hub"), *words])
        assert done.exit_code == 0
        assert ("--do-it" in done.stderr) is is_told
        assert "Undangan yang lewat" in done.stdout


# The database's settings


def test_postgresql_takes_the_settings_that_are_recommended(request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgresql")
    file = Path(__file__).parents[2] / "deploy" / "hub" / "postgresql.conf"
    lines = re.findall(r"^(\w+) = ('[^']*'|[^\s#]+)", file.read_text(), re.M)
    assert len(lines) > 20
    for name, value in lines:
        quoted = value if value.startswith("'") else f"'{value}'"
        server.do(f"alter system set {name} = {quoted}")
        server.do(f"alter system reset {name}")

"""What is installed beside a centre, and the paper by which people do it: true to what the software is called and does."""

from __future__ import annotations

import configparser
import http.client
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import pytest
from centre import made_hub
from device import Device
from sqlalchemy import func, select

import lontar
from content_packs import publishing
from content_packs.pack_files import _FILE as PACK_FILE
from hub import health, packs
from hub.app import create_app
from hub.db import reading
from hub.schema import segments
from hub.views import packs as pack_pages
from hub.views import sticks
from hub.wiring import Hub, open_hub
from sync import courier, exchange, limits, registration
from sync.entries import QuestionAnswered

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "deploy" / "hub"
RUNBOOK = ROOT / "docs" / "operasi-pusat.md"
UNITS = sorted(path for path in PLACE.iterdir() if path.suffix in (".service", ".socket", ".timer"))
DATA = "/var/lib/lontar-hub"
BACKUPS = "/var/backups/lontar-hub"
PROGRAM = "/opt/lontar-hub/kini/bin/lontar"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
OF_DEBIAN = {
    "adduser", "age", "age-keygen", "apt", "certbot", "chgrp", "chmod", "chown", "cp", "createdb", "createuser",
    "curl", "df", "install", "journalctl", "ln", "ls", "mv", "nginx", "python3", "rm", "sed", "sudo", "systemctl",
    "tar", "timedatectl", "uptime", "zstd", "grep",
}  # fmt: skip
"""Programs of Debian's packages that the runbook calls."""


def unit(name: str) -> configparser.ConfigParser:
    class Keeping(dict[str, object]):
        """Settings that stand more than once, one below the other."""

        def __setitem__(self, key: str, value: object) -> None:
            if isinstance(value, list) and key in self:
                value = [*self[key], *value]  # type: ignore[misc]
            super().__setitem__(key, value)

    made = configparser.ConfigParser(strict=False, dict_type=Keeping, interpolation=None)  # type: ignore[type-var]
    made.optionxform = str  # type: ignore[assignment, method-assign]
    made.read(PLACE / name)
    return made


def check_command(words: list[str]) -> None:
    """Every word of a `lontar …` names a command or an option that there is."""
    command: click.Command = lontar.cli
    context = click.Context(command)
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0]) if words else None
        if found is None and words and words[0] == "--help":
            return
        assert found is not None, words
        command, words = found, words[1:]
    known = {option for one in command.params for option in one.opts} | {"--help"}
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"{command.name} {word}"
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    flags = {option for one in command.params if getattr(one, "is_flag", False) for option in one.opts}
    left, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("--"):
            skip = word not in flags
        else:
            left.append(word)
    assert len([one for one in arguments if one.required]) <= len(left) <= len(arguments), words


# Units


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_call_commands_that_there_are(path: Path) -> None:
    for line in re.findall(r"^Exec\w+=(.+)$", path.read_text(), re.M):
        program, *words = shlex.split(line)
        assert program == PROGRAM
        check_command(words)


def test_units_agree_on_folders_accounts_and_the_port() -> None:
    for name in ("lontar-hub.service", "lontar-hub-backup.service", "lontar-hub-deliver.service"):
        service = unit(name)["Service"]
        assert f"/var/lib/{service['StateDirectory']}" == DATA
        assert f"LONTAR_HUB_DATA={DATA}" in service["Environment"].splitlines()
        assert service["User"] == service["Group"] == "lontar-hub"
        assert service["ProtectSystem"] == "strict"
    backup = unit("lontar-hub-backup.service")["Service"]
    assert backup["ReadWritePaths"] == BACKUPS and BACKUPS in backup["ExecStart"]
    listen = unit("lontar-hub.socket")["Socket"]["ListenStream"]
    assert re.findall(r"^\s+server ([\d.:]+);", (PLACE / "nginx.conf").read_text(), re.M) == [listen]
    script = (PLACE / "lontar-pusat").read_text()
    assert f"LONTAR_HUB_DATA={DATA}" in script and f"{PROGRAM} hub" in script


def test_a_server_that_is_stopped_has_longer_than_it_gives_those_who_upload() -> None:
    graceful = re.search(r'"graceful_timeout": (\d+)', (ROOT / "hub" / "server.py").read_text())
    assert graceful and int(graceful[1]) < int(unit("lontar-hub.service")["Service"]["TimeoutStopSec"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for path in UNITS:
        (tmp_path / path.name).write_text(path.read_text().replace(PROGRAM, "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / path.name) for path in UNITS)],
        capture_output=True,
        text=True,
    )
    about_ours = [line for line in done.stderr.splitlines() if "lontar" in line]
    assert about_ours == [], done.stderr


@pytest.mark.skipif(shutil.which("dash") is None, reason="no dash here")
def test_the_shell_takes_the_script() -> None:
    assert (PLACE / "lontar-pusat").stat().st_mode & 0o111
    assert subprocess.run(["dash", "-n", PLACE / "lontar-pusat"]).returncode == 0


# nginx


def locations() -> dict[str, str]:
    """What stands in each location of the TLS server."""
    text = (PLACE / "nginx.conf").read_text().split("listen 443", 1)[1]
    return dict(re.findall(r"^    location ([^{}]*?) \{\n(.*?)^    \}", text, re.M | re.S))


def most(location: str) -> int:
    found = re.search(r"client_max_body_size (\d+)([km])", location)
    assert found
    return int(found[1]) * {"k": 1024, "m": 1024**2}[found[2]]


def test_nginx_lets_in_what_the_hub_takes_and_not_much_more() -> None:
    found = locations()
    for path in (exchange.PATH, registration.PATH, courier.PART_PATH):
        assert path.startswith("/v1/")
    assert limits.PART + 1024 <= most(found["/v1/"]) < 2 * limits.PART
    assert publishing.OFFER_PATH.startswith("/v1/packs/")
    assert publishing.BODY_MOST <= most(found["/v1/packs/"]) < 2 * publishing.BODY_MOST
    assert sticks.UPLOAD_MOST < most(found["= /flashdisk/terima"]) < 1.1 * sticks.UPLOAD_MOST
    assert pack_pages.UPLOAD_MOST < most(found["= /paket"]) < 1.1 * pack_pages.UPLOAD_MOST


def test_devices_speak_to_the_hub_as_their_bytes_come() -> None:
    for name in ("/v1/", "/v1/packs/"):
        assert "proxy_request_buffering off;" in locations()[name]


def test_packs_are_read_from_where_the_hub_keeps_them_and_nothing_else_is() -> None:
    name = next(name for name in locations() if r"\.cose" in name)
    pattern = re.compile(name.removeprefix("~ "))
    for path in ("a" * 64 + ".cose", "pieces/00/" + "0" * 64):
        assert pattern.fullmatch(f"/packs/{path}") and PACK_FILE.fullmatch(path)
    for path in (
        "offers/" + "a" * 64 + ".cose",
        "pieces/00/x",
        "../hub.toml",
        "..%2fhub.db",
        "pieces/00/00.part",
    ):
        assert not pattern.fullmatch(f"/packs/{path}")
    assert f"root {DATA};" in locations()[name] and packs.FOLDER == "packs"
    assert "immutable" in locations()[name]


def test_where_somebody_could_guess_there_is_a_limit(tmp_path: Path) -> None:
    made_hub(tmp_path / "hub").close()
    hub = open_hub(tmp_path / "hub")
    rules = {rule.rule for rule in create_app(hub).url_map.iter_rules()}
    hub.close()
    for path, location in (
        ("/masuk", "= /masuk"),
        ("/undangan/<token>", "/undangan/"),
        ("/periksa", "= /periksa"),
        ("/p/<code>", "~ ^/[Pp]/"),
        ("/P/<code>", "~ ^/[Pp]/"),
    ):
        assert path in rules
        assert "limit_req zone=" in locations()[location]
    assert {"/flashdisk/terima", "/paket"} <= rules
    for path in health.PATHS:
        assert f"= {path}" in locations()
    assert "deny all;" in locations()["= /metrik"]


def before(hub_port: int, port: int, data: Path, folder: Path) -> list[str]:
    """The command that starts nginx with our file, on other ports and folders and with a certificate of its own."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-days",
        "2",
    ]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    site = (PLACE / "nginx.conf").read_text()
    for theirs, ours in (
        (r"listen \[::\]", "#listen [::]"),
        (r"/etc/letsencrypt/\S+/fullchain.pem", str(certificate)),
        (r"/etc/letsencrypt/\S+/privkey.pem", str(key)),
        (r"listen 80;", "listen 127.0.0.1:0;" if port else "listen 80;"),
        (r"listen 443", f"listen 127.0.0.1:{port}" if port else "listen 443"),
        (r"127\.0\.0\.1:8000", f"127.0.0.1:{hub_port}"),
        (re.escape(DATA), str(data)),
    ):
        site = re.sub(theirs, ours, site)
    site = re.sub(r"server \{\n    listen 127\.0\.0\.1:0;.*?^\}\n", "", site, flags=re.M | re.S)
    (folder / "site").write_text(site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid; error_log stderr; daemon off; user root; events {{}}\n"
        f"http {{ {places} access_log off; include {folder}/site; }}\n"
    )
    return [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]


@pytest.mark.skipif(NGINX is None, reason="no nginx here")
def test_nginx_takes_its_file(tmp_path: Path) -> None:
    done = subprocess.run([*before(8000, 0, tmp_path, tmp_path), "-t"], capture_output=True, text=True)
    assert done.returncode == 0 and "successful" in done.stderr, done.stderr


def stored(hub: Hub) -> int:
    """How many entries were stored."""
    with reading(hub.engine) as connection:
        return int(connection.execute(select(func.coalesce(func.sum(segments.c.count), 0))).scalar_one())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGQUIT if "nginx" in command[0] else signal.SIGTERM)
        process.wait(90)


@pytest.mark.slow
@pytest.mark.skipif(NGINX is None, reason="no nginx here")
def test_behind_nginx_a_cut_upload_counts_packs_come_from_the_disk_and_guesses_are_slowed(
    tmp_path: Path,
) -> None:
    hub = made_hub(tmp_path / "hub")
    device = Device(1).registered(hub).open()
    for _ in range(6):
        seconds = (device.rng.randrange(10**6) for _ in range(400))
        device.seal(*(QuestionAnswered(0, 0, 1, 1, 1, True, many) for many in seconds))
    piece = tmp_path / "hub" / "packs" / "pieces" / "00" / ("0" * 64)
    piece.parent.mkdir(parents=True)
    piece.write_bytes(b"x" * 1000)
    folder, hub_port, port = tmp_path / "nginx", free_port(), free_port()
    folder.mkdir()
    serve = [
        sys.executable,
        "-m",
        "lontar",
        "hub",
        "serve",
        "--data",
        str(hub.config.data),
        "--workers",
        "1",
    ]
    trusting = ssl._create_unverified_context()

    def speak(method: str, path: str, body: bytes = b"") -> http.client.HTTPResponse:
        road = http.client.HTTPSConnection("localhost", port, timeout=60, context=trusting)
        road.request(method, path, body or None)
        answer = road.getresponse()
        answer.read()
        return answer

    with (
        running([*serve, "--port", str(hub_port)], hub_port),
        running(before(hub_port, port, hub.config.data, folder), port),
    ):
        assert speak("GET", "/siap").status == 200
        assert speak("POST", "/v1/sync", b"x" * 310 * 1024).status == 413
        assert speak("POST", "/masuk", b"x" * 130 * 1024).status == 413
        found = speak("GET", f"/packs/pieces/00/{'0' * 64}")
        assert (found.status, found.getheader("Server")) == (200, "nginx")
        assert "immutable" in (found.getheader("Cache-Control") or "")
        for path in (
            "/packs/../hub.toml",
            "/packs/pieces/00/%2e%2e/%2e%2e/%2e%2e/hub.toml",
            "/packs/hub.db",
        ):
            assert speak("GET", path).status in (400, 404)
        # All of the body but its last bytes.
        body = device.header() + b"".join(sealed.data for sealed in device.segments)
        with trusting.wrap_socket(socket.create_connection(("127.0.0.1", port))) as road:
            head = f"POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            road.sendall(head.encode() + body[:-5])
            until = time.monotonic() + 60
            while stored(hub) < len(device.entries) - 800 and time.monotonic() < until:
                time.sleep(0.05)
            # Before the rest has come, or hasn't.
            assert stored(hub) >= len(device.entries) - 800
        assert {speak("GET", "/masuk").status for _ in range(40)} == {200, 429}
    hub.close()


# The runbook


def spoken_commands() -> list[list[str]]:
    """Every command line in the runbook, as words."""
    text = RUNBOOK.read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    outside = re.sub(r"```.*?```", "", text, flags=re.S)
    starts = ("sudo ", "lontar ", "curl ", "systemctl ", "journalctl ", "age ", "tar ")
    lines += [one for one in re.findall(r"`([^`]+)`", outside) if one.startswith(starts)]
    found = []
    for line in lines:
        if re.fullmatch(r"[A-Z_]+=.*", line):
            continue
        for part in line.split(" | "):
            found.append(shlex.split(part.replace("…", "")))
    return [words for words in found if words]


@pytest.mark.parametrize("words", spoken_commands(), ids=" ".join)
def test_every_command_of_the_runbook_exists(words: list[str]) -> None:
    if words[0] == "sudo":
        words = words[3:] if words[1] == "-u" else words[1:]
    if words[0] == "lontar-pusat":
        words = ["lontar", "hub", *words[1:]]
    if words[0] == "lontar":
        # An ellipsis stands for any of them.
        if words[1:] not in (["hub"], []):
            check_command(words[1:])
        return
    assert words[0] in OF_DEBIAN or words[0].startswith("/opt/lontar-hub/"), words


def test_files_and_settings_that_the_runbook_names_are_there() -> None:
    text = RUNBOOK.read_text()
    named = set(re.findall(r"/opt/lontar-hub/sumber/(deploy/hub/[\w.-]+)", text))
    assert named == {f"deploy/hub/{path.name}" for path in PLACE.iterdir()}
    for path in named:
        assert (ROOT / path).is_file()
    sources = "\n".join(path.read_text() for path in (*(ROOT / "hub").glob("*.py"), *UNITS))
    for setting in set(re.findall(r"LONTAR_HUB_[A-Z_]+", text)):
        known = setting in sources or f'"{setting.removeprefix("LONTAR_HUB_").lower()}"' in sources
        assert known, setting
    for figure in set(re.findall(r"lontar_hub_\w+", text)):
        assert figure in (ROOT / "hub" / "metrics.py").read_text()
    assert len(re.findall(r"^### \d+\. ", text.split("## Sepuluh gangguan")[1], re.M)) == 10

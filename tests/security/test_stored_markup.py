"""Whatever anybody writes into any field of any form, or into a course, stays text on every page and in every file."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from device import Device
from doors import LEARNERS, OPEN, Apps, opened_apps
from flask.testing import FlaskClient
from office import HERE
from pages import MARK, SHOWN, Form, forms_of, harm
from test_packs_hub import publisher
from village import COURSE, install_course

from content_packs.build import build_pack
from hub import packs
from hub.wiring import now_ms
from sync.entries import LearnerAdded
from sync.profile import Profile

LEFT_ALONE = ("/keluar", "/masuk", "/akun-saya", "/tampilan", "/undangan")
"""What would end the walk: log-outs and other passwords."""
PLACES = {"region": HERE, "wilayah": HERE, "village": HERE}
WORDS = (
    "q",
    "wilayah",
    "keadaan",
    "pelatihan",
    "next",
    "lang",
    "halaman",
    "nomor",
    "di",
    "flashdisk",
    "kode",
    "t",
)
"""Names of what stands behind a question mark in our addresses, beside those of forms."""


class Called(Device):
    """A laptop whose people have a hostile name."""

    def person(self) -> LearnerAdded:
        profile = Profile.make(self.rng.randbytes, MARK, MARK)
        self.profiles.append(profile)
        return LearnerAdded(profile.commitment)


def hostile_course() -> dict[str, str]:
    """The usual course, in which every sentence is the mark."""
    texts = (
        "Kas Desa", "Pelatihan kecil untuk pengujian.", "Penguji", "Tes awal", "Contoh Pasal 1", "Jawablah dengan tenang.",
        "Siapa yang memegang kas desa?", "Camat", "Kaur Keuangan menjalankan fungsi kebendaharaan.", "Buku kas umum",
        "Mencatat setiap hari", "masuk dan keluar", "Kapan uang dicatat?", "Setiap hari", "Dicatat pada hari yang sama.",
    )  # fmt: skip
    made = {}
    for name, text in COURSE.items():
        for number, line in enumerate(texts):
            quoted = MARK.replace('"', '\\"')
            text = text.replace(f'"{line}"', f'"{quoted}{number}"').replace(line, f"{MARK}{number}")
        made[name] = text
    return made


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    """Applications in which the mark stands in every field that could be filled in."""
    folder = tmp_path_factory.mktemp("marked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONTAR_STATE", str(tmp_path_factory.mktemp("state")))
        with opened_apps(folder) as apps:
            Called(7).open(2).registered(apps.hub, HERE).send(apps.hub)
            (folder / "second").mkdir()
            course = hostile_course()
            install_course(apps.node, folder / "second", course)
            built = folder / "hostile.pack"
            source = folder / "second" / "course"
            with built.open("wb") as file:
                build_pack(source, publisher(apps.hub)).write(file)
            packs.publish(apps.hub.engine, apps.hub.config, built, [HERE], now_ms())
            apps.node.recorder.add_learner(MARK, MARK)
            yield apps


def visitors(apps: Apps, app: str) -> list[tuple[FlaskClient, set[str]]]:
    """Browsers and the endpoints that each of them walks."""
    everything = {door.endpoint for door in apps.doors(app)}
    if app != "node":
        return [(apps.within(app), everything)]
    return [(apps.learner(), LEARNERS | OPEN["node"]), (apps.within("node"), everything - LEARNERS)]


def walked(apps: Apps, app: str) -> Iterator[tuple[FlaskClient, str]]:
    """The pages at every address, and those of packs, courses and people that they lead to."""
    for client, endpoints in visitors(apps, app):
        paths = [
            door.path for door in apps.doors(app) if door.method == "GET" and door.endpoint in endpoints
        ]
        seen = {path for path in paths if path.startswith("/bahasa")}
        while paths:
            path = paths.pop(0)
            if path in seen:
                continue
            seen.add(path)
            yield client, path
            page = client.get(path)
            if page.mimetype == "text/html":
                paths += re.findall(
                    r'href="(/(?:paket|peserta|pelatihan|soal|operator/peserta)/[^"?#]+)"', page.text
                )


def press(client: FlaskClient, form: Form, usual: dict[str, str]) -> str:
    """Send a form with the mark in every field in which people write, but for `usual`; what it did wrong."""
    data = {**form.given, **{name: usual.get(name, MARK) for name in form.free}}
    answer = client.post(form.action, data=data)
    assert answer.status_code < 500, form
    return harm(answer)


@pytest.mark.parametrize("app", [pytest.param("hub", marks=pytest.mark.slow), "node", "courier", "setup"])
def test_what_people_write_stays_text(marked: Apps, app: str) -> None:
    pressed, seen = set(), 0
    for client, path in walked(marked, app):
        page = client.get(path)
        for form in forms_of(path, page):
            if form.method == "post" and form.free and not form.action.startswith(LEFT_ALONE):
                # Once with the mark everywhere, and once so that a place is a place and the rest is kept.
                for usual in ({}, PLACES):
                    assert not press(client, form, usual), form
                pressed.add(form.action)
    for client, path in walked(marked, app):
        page = client.get(path)
        assert not harm(page), (path, harm(page))
        seen += SHOWN in page.text if page.mimetype == "text/html" else 0
    assert len(pressed) >= {"hub": 8, "node": 4, "courier": 1, "setup": 1}[app], pressed
    assert seen >= {"hub": 5, "node": 4, "courier": 0, "setup": 0}[app], "the mark was kept and shown"


@pytest.mark.parametrize("app", [pytest.param("hub", marks=pytest.mark.slow), "node", "courier", "setup"])
def test_what_stands_in_an_address_stays_text(marked: Apps, app: str) -> None:
    for client, path in walked(marked, app):
        names = {name for form in forms_of(path, client.get(path)) for name in form.free}
        answer = client.get(path, query_string=dict.fromkeys({*names, *WORDS}, MARK))
        assert answer.status_code < 500, path
        assert not harm(answer), (path, harm(answer))


def test_a_lesson_s_own_markup_stays_text(marked: Apps) -> None:
    learner = marked.learner()
    shown = 0
    for path in ("/pelatihan", "/pelatihan/1", *(f"/pelatihan/1/materi/{number}" for number in (1, 2, 3))):
        for end in ("", "/kuis", "/kuis/1", "/kuis/2"):
            page = learner.get(path + end)
            assert not harm(page), path
            shown += SHOWN in page.text
    assert shown >= 5


def test_the_mark_is_found_where_it_is_more_than_text() -> None:
    """What looks for harm finds it."""
    from flask import Flask
    from jinja2.utils import markupsafe

    app = Flask("tests.security")
    app.add_url_rule("/raw", "raw", lambda: f'<p title="{MARK}">')
    app.add_url_rule("/safe", "safe", lambda: f"<p>{markupsafe.escape(MARK)}</p>")
    app.add_url_rule("/csv", "csv", lambda: (f"a;{MARK}", {"Content-Type": "text/csv"}))
    client = app.test_client()
    assert harm(client.get("/raw")) and harm(client.get("/csv"))
    assert not harm(client.get("/safe"))

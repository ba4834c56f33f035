"""Whatever anybody writes into any field of any form, or into a course, stays text on every page and in every file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from device import Device
from doors import LEARNERS, OPEN, Apps, Door, opened_apps
from flask.testing import FlaskClient
from office import HERE
from pages import MARK, SHOWN, Form, forms_of, harm
from village import COURSE, install_course

from content_packs.build import build_pack
from hub import courses
from sync.entries import LearnerAdded
from sync.keys import SigningKey
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
                build_pack(source, SigningKey.from_seed(b"publisher".ljust(32, b"."))).write(file)
            courses.add(apps.hub.engine, apps.hub.config, built)
            apps.node.recorder.add_learner(MARK, MARK)
            yield apps


def visitors(apps: Apps, app: str) -> list[tuple[FlaskClient, set[str]]]:
    """Browsers and the endpoints that each of them walks."""
    everything = {door.endpoint for door in apps.doors(app)}
    if app != "node":
        return [(apps.within(app), everything)]
    return [(apps.learner(), LEARNERS | OPEN["node"]), (apps.within("node"), everything - LEARNERS)]


def walked(apps: Apps, app: str) -> Iterator[tuple[FlaskClient, Door]]:
    for client, endpoints in visitors(apps, app):
        for door in apps.doors(app):
            if door.method == "GET" and door.endpoint in endpoints and not door.path.startswith("/bahasa"):
                yield client, door


def press(client: FlaskClient, form: Form, usual: dict[str, str]) -> str:
    """Send a form with the mark in every field in which people write, but for `usual`; what it did wrong."""
    data = {**form.given, **{name: usual.get(name, MARK) for name in form.free}}
    answer = client.post(form.action, data=data)
    assert answer.status_code < 500, form
    return harm(answer)


@pytest.mark.parametrize("app", ["hub", "node", "courier", "setup"])
def test_what_people_write_stays_text(marked: Apps, app: str) -> None:
    pressed, seen = set(), 0
    for client, door in walked(marked, app):
        page = client.get(door.path)
        for form in forms_of(door.path, page):
            if form.method == "post" and form.free and not form.action.startswith(LEFT_ALONE):
                # Once with the mark everywhere, and once so that a place is a place and the rest is kept.
                for usual in ({}, PLACES):
                    assert not press(client, form, usual), form
                pressed.add(form.action)
    for client, door in walked(marked, app):
        page = client.get(door.path)
        assert not harm(page), (door, harm(page))
        seen += SHOWN in page.text if page.mimetype == "text/html" else 0
    assert len(pressed) >= {"hub": 8, "node": 4, "courier": 1, "setup": 2}[app], pressed
    assert seen >= {"hub": 5, "node": 4, "courier": 0, "setup": 0}[app], "the mark was kept and shown"


@pytest.mark.parametrize("app", ["hub", "node", "courier", "setup"])
def test_what_stands_in_an_address_stays_text(marked: Apps, app: str) -> None:
    for client, door in walked(marked, app):
        if door.endpoint.endswith("static"):
            continue
        names = {name for form in forms_of(door.path, client.get(door.path)) for name in form.free}
        answer = client.get(door.path, query_string=dict.fromkeys({*names, *WORDS}, MARK))
        assert answer.status_code < 500, door
        assert not harm(answer), (door, harm(answer))


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

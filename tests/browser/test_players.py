"""SCORM, H5P and cmi5 in a real browser: their results stand on the progress page, and they reach nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
from activities import (
    CMI5_PAGE,
    H5P_FILES,
    SCORM_2004_PAGE,
    SCORM_PAGE,
    activity_course,
    installed,
    players,
)
from test_node_pages import PHONE, SITI, enter_new_pin
from village import made_village

from content_packs.build import build_pack
from content_packs.importers import scorm
from content_packs.importers.folder import write_folder
from node.app import create_app
from node.serving import Served
from node.wiring import Node

pytestmark = pytest.mark.browser
SAMPLE: Final = Path("/work/shared/data/course-samples/singlescobasic.zip")
Open = Callable[[Node], Any]


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Node]:
    node = made_village(tmp_path, SITI)
    installed(node, players(), tmp_path / "players.lontar")
    yield node
    node.close()


@pytest.fixture
def at_the_laptop(chromium: Any, village: Node) -> Iterator[Any]:
    """A browser in which Siti is logged in; both ports are served."""
    server = Served(create_app(village), "127.0.0.1", 0, 0)
    Thread(target=server.run, daemon=True).start()
    page = chromium.new_context(viewport=PHONE).new_page()
    page.set_default_timeout(6_000)
    page.goto(f"http://127.0.0.1:{server.port}")
    enter_new_pin(page)
    yield page
    page.context.close()
    server.close()


def opened(page: Any) -> Any:
    """The first lesson of the course Kuis; returns the player's frame."""
    page.get_by_role("link", name="Pelatihan", exact=True).click()
    page.get_by_role("link", name=re.compile("^Kuis")).click()
    page.locator("ol.leaves a").first.click()
    return page.frame_locator("iframe.activity")


def progress(page: Any) -> str:
    """What the progress page says of the course Kuis."""
    page.get_by_role("link", name="Kemajuan", exact=True).click()
    section = page.locator("section", has=page.get_by_role("heading", name="Kuis"))
    section.locator("summary").click()
    return " ".join(section.inner_text().split())


def test_a_scorm_course_sets_its_score_and_goes_on_where_it_stopped(
    village: Node, at_the_laptop: Any, tmp_path: Path
) -> None:
    built = activity_course(tmp_path / "c", "scorm", "kuis.html", {"kuis.html": SCORM_PAGE})
    installed(village, built, tmp_path / "c.lontar")
    page = at_the_laptop
    frame = opened(page)
    content = frame.frame_locator("#isi")
    content.get_by_role("button", name="Jawab").click()
    assert content.get_by_text("Simpan: true").is_visible()
    frame.get_by_text("Tersimpan di perangkat ini · Nilai 80").wait_for()
    # The lesson is left in the middle, and opened again.
    frame = opened(page)
    content = frame.frame_locator("#isi")
    content.get_by_text("Lanjut: halaman 3").wait_for()
    content.get_by_role("button", name="Selesai").click()
    content.get_by_text("Tutup: true").wait_for()
    frame.get_by_text("Tersimpan di perangkat ini · Selesai · Nilai 80").wait_for()
    said = progress(page)
    assert "1 dari 1 materi" in said and "80" in said
    assert not page.get_by_text("lontar-pemutar").is_visible(), "the players are no course"


def test_scorm_2004_works_as_well(village: Node, at_the_laptop: Any, tmp_path: Path) -> None:
    built = activity_course(tmp_path / "c", "scorm", "kuis.html", {"kuis.html": SCORM_2004_PAGE})
    installed(village, built, tmp_path / "c.lontar")
    frame = opened(at_the_laptop)
    frame.frame_locator("#isi").get_by_role("button", name="Selesai").click()
    frame.get_by_text("Selesai · Nilai 65").wait_for()
    assert "65" in progress(at_the_laptop)


def test_an_h5p_task_sets_its_score(village: Node, at_the_laptop: Any, tmp_path: Path) -> None:
    built = activity_course(tmp_path / "c", "h5p", "h5p.json", H5P_FILES)
    installed(village, built, tmp_path / "c.lontar")
    frame = opened(at_the_laptop)
    task = frame.frame_locator("iframe.h5p-iframe")
    task.get_by_text("Siap?").wait_for()
    task.get_by_role("button", name="Ya").click()
    frame.get_by_text("Tersimpan di perangkat ini · Selesai · Nilai 75").wait_for()
    assert "75" in progress(at_the_laptop)


def test_a_cmi5_unit_sets_its_score(village: Node, at_the_laptop: Any, tmp_path: Path) -> None:
    built = activity_course(tmp_path / "c", "cmi5", "au.html?x=1", {"au.html": CMI5_PAGE})
    installed(village, built, tmp_path / "c.lontar")
    frame = opened(at_the_laptop)
    unit = frame.frame_locator("#isi")
    unit.get_by_text("Mulai: Normal").wait_for()
    unit.get_by_role("button", name="Selesai").click()
    unit.get_by_text("Tutup: 200").wait_for()
    frame.get_by_text("Selesai · Nilai 90").wait_for()
    assert "90" in progress(at_the_laptop)


HOSTILE: Final = """<!doctype html><p id="kata">…</p><script>
var pages = document.referrer, said = [];
function coba(nama, kerja) {
  return Promise.resolve().then(kerja).then(function (r) { said.push(nama + ":" + r); }, function () { said.push(nama + ":tidak"); });
}
var utama = location.protocol + "//" + location.hostname + ":PORT";
coba("dom", function () { return window.top.document.title; })
.then(function () { return coba("kue", function () { return document.cookie || "tidak"; }); })
.then(function () { return coba("ambil", function () { return fetch(utama + "/kemajuan", { credentials: "include", mode: "no-cors" }).then(function () { return "ya"; }); }); })
.then(function () { return coba("jauh", function () { return fetch("https://example.com/", { mode: "no-cors" }).then(function () { return "ya"; }); }); })
.then(function () { return coba("atas", function () { window.top.location = "https://example.com/"; return "ya"; }); })
.then(function () { return coba("jendela", function () { return window.open(utama + "/kemajuan") ? "ya" : "tidak"; }); })
.then(function () { return coba("bingkai", function () { return new Promise(function (baik) {
    var f = document.createElement("iframe"); f.src = utama + "/kemajuan"; document.body.appendChild(f);
    setTimeout(function () { var r; try { r = f.contentDocument ? f.contentDocument.body.innerText : ""; } catch (e) { r = ""; } baik(r ? "ya" : "tidak"); }, 700); }); }); })
.then(function () { document.getElementById("kata").textContent = "SELESAI " + said.join(" "); });
</script>"""


def test_what_an_activity_runs_reaches_neither_the_pages_nor_the_internet(
    village: Node, at_the_laptop: Any, tmp_path: Path
) -> None:
    page = at_the_laptop
    port = re.search(r":(\d+)/", page.url)[1]  # type: ignore[index]
    built = activity_course(
        tmp_path / "c", "scorm", "jahat.html", {"jahat.html": HOSTILE.replace("PORT", port)}
    )
    installed(village, built, tmp_path / "c.lontar")
    content = opened(page).frame_locator("#isi")
    content.get_by_text("SELESAI").wait_for()
    said = content.locator("#kata").inner_text()
    for name in ("dom", "kue", "ambil", "jauh", "atas", "jendela", "bingkai"):
        assert f"{name}:tidak" in said, said
    assert "/pelatihan/" in page.url and len(page.context.pages) == 1


def test_without_players_only_the_lessons_that_need_them_are_missing(
    chromium: Any, tmp_path: Path, serve: Any
) -> None:
    node = made_village(tmp_path, SITI)
    built = activity_course(tmp_path / "c", "scorm", "kuis.html", {"kuis.html": SCORM_PAGE})
    installed(node, built, tmp_path / "c.lontar")
    page = chromium.new_context(viewport=PHONE).new_page()
    page.goto(serve(create_app(node)))
    enter_new_pin(page)
    opened(page)
    assert page.get_by_text("memerlukan paket pemutar").is_visible()
    assert page.get_by_text("Baca dulu.").is_visible()
    node.close()


def test_a_real_scorm_course_plays(village: Node, at_the_laptop: Any, tmp_path: Path) -> None:
    if not SAMPLE.is_file():
        pytest.skip(f"{SAMPLE} isn't there")
    draft = scorm.read(SAMPLE)
    draft.title = "Kuis golf"
    write_folder(draft, tmp_path / "golf")
    from activities import KEY

    installed(village, build_pack(tmp_path / "golf", KEY), tmp_path / "golf.lontar")
    frame = opened(at_the_laptop)
    course = frame.frame_locator("#isi")
    course.frame_locator("iframe").get_by_text("Play of the game").wait_for()
    for _ in range(20):
        if course.frame_locator("iframe").get_by_role("button", name=re.compile("submit", re.I)).count():
            break
        course.locator("#butNext").click()
        at_the_laptop.wait_for_timeout(150)
    quiz = course.frame_locator("iframe")
    quiz.get_by_role("button", name=re.compile("submit", re.I)).click()
    frame.get_by_text("Nilai").wait_for()

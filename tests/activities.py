"""Courses with activities for tests of the players: SCORM, H5P and cmi5 as small as they can be, and the players' pack."""

from __future__ import annotations

import json
import os
import shutil
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from content_packs.build import BuiltPack, build_pack
from content_packs.players import build_players
from node.courses import install_pack
from node.wiring import Node
from sync.keys import SigningKey, fingerprint

KEY: Final = SigningKey.from_seed(b"publisher".ljust(32, b"."))

SCORM_PAGE: Final = """<!doctype html><title>Kuis</title><p id="kata">Siap.</p>
<button onclick="jawab()">Jawab</button> <button onclick="selesai()">Selesai</button>
<script>
function cari(w) { for (var i = 0; w && i < 9; i++, w = w.parent) { if (w.API) return w.API; if (w === w.parent) break; } }
var api = cari(window.parent);
api.LMSInitialize("");
var lama = api.LMSGetValue("cmi.suspend_data");
if (lama) document.getElementById("kata").textContent = "Lanjut: " + lama;
function jawab() {
  api.LMSSetValue("cmi.interactions.0.id", "soal-1");
  api.LMSSetValue("cmi.interactions.0.type", "choice");
  api.LMSSetValue("cmi.interactions.0.student_response", "a");
  api.LMSSetValue("cmi.interactions.0.result", "correct");
  api.LMSSetValue("cmi.core.score.raw", "80");
  api.LMSSetValue("cmi.suspend_data", "halaman 3");
  document.getElementById("kata").textContent = "Simpan: " + api.LMSCommit("");
}
function selesai() {
  api.LMSSetValue("cmi.core.lesson_status", "passed");
  document.getElementById("kata").textContent = "Tutup: " + api.LMSFinish("");
}
</script>"""

SCORM_2004_PAGE: Final = """<!doctype html><title>Kuis</title><p id="kata">Siap.</p><button onclick="selesai()">Selesai</button>
<script>
var api = window.parent.API_1484_11;
api.Initialize("");
function selesai() {
  api.SetValue("cmi.score.scaled", "0.65");
  api.SetValue("cmi.completion_status", "completed");
  api.SetValue("cmi.success_status", "passed");
  document.getElementById("kata").textContent = "Tutup: " + api.Terminate("");
}
</script>"""

H5P_SCRIPT: Final = """H5P.Kartu = (function ($, EventDispatcher) {
  function Kartu(params, id) { EventDispatcher.call(this); this.params = params; this.contentId = id; }
  Kartu.prototype = Object.create(EventDispatcher.prototype);
  Kartu.prototype.constructor = Kartu;
  Kartu.prototype.attach = function ($box) {
    var self = this;
    $box.html('<p>' + self.params.teks + '</p><button class="ya">Ya</button>');
    $box.find('.ya').on('click', function () {
      var event = self.createXAPIEventTemplate('completed');
      event.setScoredResult(3, 4, self, true, true);
      self.trigger(event);
    });
  };
  return Kartu;
})(H5P.jQuery, H5P.EventDispatcher);
"""
H5P_FILES: Final = {
    "h5p.json": json.dumps(
        {
            "title": "Kartu",
            "language": "id",
            "mainLibrary": "H5P.Kartu",
            "embedTypes": ["div"],
            "preloadedDependencies": [{"machineName": "H5P.Kartu", "majorVersion": 1, "minorVersion": 0}],
        }
    ),
    "content/content.json": json.dumps({"teks": "Siap?"}),
    "H5P.Kartu-1.0/library.json": json.dumps(
        {
            "title": "Kartu",
            "machineName": "H5P.Kartu",
            "majorVersion": 1,
            "minorVersion": 0,
            "patchVersion": 0,
            "runnable": 1,
            "preloadedJs": [{"path": "kartu.js"}],
        }
    ),
    "H5P.Kartu-1.0/kartu.js": H5P_SCRIPT,
}

CMI5_PAGE: Final = """<!doctype html><title>AU</title><p id="kata">Siap.</p><button onclick="selesai()">Selesai</button>
<script>
var q = new URLSearchParams(location.search), tanda, dasar = q.get("endpoint");
var kepala = { "Content-Type": "application/json", "X-Experience-API-Version": "1.0.3" };
var tempat = "activityId=" + encodeURIComponent(q.get("activityId")) + "&agent=" + encodeURIComponent(q.get("actor"))
  + "&registration=" + q.get("registration");
function kirim(kata, hasil) {
  return fetch(dasar + "statements", { method: "POST", headers: kepala, body: JSON.stringify({
    actor: JSON.parse(q.get("actor")), verb: { id: "http://adlnet.gov/expapi/verbs/" + kata },
    object: { id: q.get("activityId") }, result: hasil }) });
}
fetch(q.get("fetch"), { method: "POST" }).then(function (r) { return r.json(); }).then(function (t) {
  kepala.Authorization = "Basic " + t["auth-token"];
  return fetch(dasar + "activities/state?stateId=LMS.LaunchData&" + tempat, { headers: kepala });
}).then(function (r) { return r.json(); }).then(function (d) {
  document.getElementById("kata").textContent = "Mulai: " + d.launchMode;
  return kirim("initialized");
});
function selesai() {
  kirim("passed", { score: { scaled: 0.9 }, success: true, duration: "PT5S" }).then(function () {
    return kirim("terminated");
  }).then(function (r) { document.getElementById("kata").textContent = "Tutup: " + r.status; });
}
</script>"""


def activity_course(
    folder: Path, player: str, entry: str, files: dict[str, str], version: int = 1
) -> BuiltPack:
    """A course of one activity, built as an author would."""
    (folder / "isi").mkdir(parents=True)
    (folder / "course.toml").write_text(
        f'id = "kuis"\ntitle = "Kuis"\nversion = {version}\ngeneral = true\n', encoding="utf-8"
    )
    head = f'id = "main"\ntitle = "Main"\nplayer = "{player}"\nactivity = "isi"\nentry = "{entry}"\n'
    (folder / "01-main.html").write_text(f"+++\n{head}+++\n<p>Baca dulu.</p>\n", encoding="utf-8")
    for name, content in files.items():
        path = folder / "isi" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return build_pack(folder, KEY)


def installed(node: Node, built: BuiltPack, at: Path) -> int:
    """Install a pack; returns its number."""
    with at.open("wb") as file:
        built.write(file)
    manifest_hash = install_pack(node, at, fingerprint(KEY.public)).manifest_hash
    with node.store.read() as db:
        query = "SELECT number FROM packs WHERE manifest_hash = ?"
        return int(db.execute(query, (manifest_hash,)).fetchone()[0])


@cache
def players() -> BuiltPack:
    """The pack of players, fetched once a process."""
    if shutil.which("npm") is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs npm for the players")
        pytest.skip("no npm on this machine")
    return build_players(KEY)

"""The pages around an activity, on the second origin: a line that says what is saved, and the activity below it."""

from __future__ import annotations

import json
from html import escape
from typing import Any, Final

from node.playing import Kept
from web.languages import gettext as _

ACTOR: Final = {"objectType": "Agent", "account": {"homePage": "http://lontar.invalid", "name": "peserta"}}
REGISTRATION: Final = "00000000-0000-4000-8000-000000000000"
LAUNCH_DATA: Final = {
    "contextTemplate": {
        "extensions": {"https://w3id.org/xapi/cmi5/context/extensions/sessionid": "lontar"},
        "contextActivities": {},
    },
    "launchMode": "Normal",
    "moveOn": "CompletedOrPassed",
}


def scorm(content: str, kept: Kept, told: dict[str, Any]) -> str:
    """SCORM finds its API in the window above: this one. `told` is what `keadaan` says, and more for scripts."""
    told = told | {"content": content, "state": kept.state}
    body = '<iframe id="isi" title="{}"></iframe>'.format(escape(_("Materi")))
    scripts = (
        "pemutar/scorm-again/scorm12.min.js",
        "pemutar/scorm-again/scorm2004.min.js",
        "lontar/scorm.js",
    )
    return _page(body, told, scripts)


def h5p(content: str, kept: Kept, told: dict[str, Any]) -> str:
    told = told | {"content": content, "state": kept.state}
    body = '<div id="isi"></div>'
    return _page(body, told, ("pemutar/h5p-standalone/main.bundle.js", "lontar/h5p.js"))


def cmi5(address: str, told: dict[str, Any]) -> str:
    body = f'<iframe id="isi" title="{escape(_("Materi"))}"></iframe>'
    return _page(body, told | {"content": address}, ("lontar/cmi5.js",))


def _page(body: str, told: dict[str, Any], scripts: tuple[str, ...]) -> str:
    texts = {
        "saved": _("Tersimpan di perangkat ini"),
        "score": _("Nilai"),
        "done": _("Selesai"),
        "failed": _("Belum tersimpan. Buka lagi materi ini."),
        "over": _("Kesempatan untuk tes ini sudah habis. Hubungi operator desa."),
    }
    told = told | {"texts": texts}
    # A script's end can't stand in it.
    data = json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
    listed = "".join(f'<script src="{script}"></script>' for script in ("lontar/bar.js", *scripts))
    return (
        '<!doctype html><html lang="id"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{escape(_("Materi"))}</title><link rel="stylesheet" href="lontar/player.css">'
        f'<p id="garis" role="status"></p>{body}'
        f'<script type="application/json" id="data">{data}</script>{listed}</html>'
    )

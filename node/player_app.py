"""The second origin: where SCORM, H5P and cmi5 run, apart from the pages of the village.

Its own port, no cookies, no sessions. Every address stands under a play's token, which nobody can guess and which opens one
activity for one learner; the policy lets what runs there reach nothing else, neither the internet nor the pages. What it says
of the learner's work goes through `outcomes`. Why so: docs/decisions/0013-players.md.
"""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from flask import Blueprint, Flask, Response, abort, current_app, request
from flask.typing import ResponseReturnValue

from content_packs.outline import path_of
from content_packs.piece_file import Media
from content_packs.players import FOLDER
from node import outcomes, player_pages
from node.desk import Desk, adopt, desk
from node.outcomes import BODY_MOST, Outcome
from node.playing import Kept
from node.plays import Play
from sync.errors import LontarError
from sync.keys import sha256
from web import languages
from web.ranges import in_parts
from web.security import WRONG_HOST, host_is_ours

OWN: Final = Path(__file__).parent / "player"
_MEDIA_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}(; ?charset=[a-z0-9-]{1,20})?", re.IGNORECASE)
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_ANY_TYPE: Final = "application/octet-stream"
_OWN_TYPES: Final = {".js": "text/javascript", ".css": "text/css"}
_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' data: blob:",
    "frame-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "form-action 'none'",
    "base-uri 'self'",
    # As the frame in the lesson's page has it, for whoever opens the address without that page.
    "sandbox allow-scripts allow-same-origin allow-forms",
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), display-capture=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-DNS-Prefetch-Control": "off",
}

blueprint = Blueprint("play", __name__, url_prefix="/<token>")


def create_player_app(shared: Desk) -> Flask:
    """The application behind the player's port, of the same laptop as the pages whose desk it is given."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_MOST
    adopt(app, shared)
    languages.prepare(app, languages.ALL)
    app.register_blueprint(blueprint)
    app.before_request(_refuse_strangers)
    app.after_request(_add_headers)
    app.register_error_handler(LontarError, _said)
    return app


@blueprint.get("/")
def page(token: str) -> ResponseReturnValue:
    play = _play(token)
    lesson = desk().node.learning.manifest(play.pack).lessons[play.lesson - 1]
    playing = desk().node.playing
    playing.begin(play)
    kept = playing.kept(play)
    # Names this play to its page without telling other activities its address.
    told = _state_of(play, kept) | {"play": sha256(token.encode()).hex()[:16]}
    if lesson.player == "scorm":
        made = player_pages.scorm(_content(token, lesson.entry), kept, told)
    elif lesson.player == "h5p":
        made = player_pages.h5p(f"/{token}/isi", kept, told)
    elif lesson.player == "cmi5":
        made = player_pages.cmi5(_launch(token, lesson.id, lesson.entry), told)
    else:
        abort(404)
    return Response(made, mimetype="text/html")


@blueprint.get("/lontar/<name>")
def own(token: str, name: str) -> ResponseReturnValue:
    """Our own part of the player."""
    _play(token)
    path = OWN / name
    if path.suffix not in _OWN_TYPES or path.parent != OWN or not path.is_file():
        abort(404)
    return Response(path.read_bytes(), mimetype=_OWN_TYPES[path.suffix])


@blueprint.get("/pemutar/<path:path>")
def library(token: str, path: str) -> ResponseReturnValue:
    """A file of the pack of players."""
    _play(token)
    players = desk().node.learning.players()
    return _file(None if players is None else players.file(f"{FOLDER}/{path}"))


@blueprint.get("/isi/<path:path>")
def content(token: str, path: str) -> ResponseReturnValue:
    """A file of the activity itself."""
    play = _play(token)
    return _file(desk().node.learning.activity_file(play.pack, play.lesson, path))


@blueprint.post("/hasil/scorm")
def scorm_result(token: str) -> ResponseReturnValue:
    play = _speaking(token)
    kept = _take(play, outcomes.of_scorm(_body(), is_final="akhir" in request.args))
    return {"result": True, "errorCode": 0, **_state_of(play, kept)}


@blueprint.post("/hasil/h5p")
def h5p_result(token: str) -> ResponseReturnValue:
    play = _speaking(token)
    return _state_of(play, _take(play, outcomes.of_h5p(_body())))


@blueprint.get("/keadaan")
def state(token: str) -> ResponseReturnValue:
    """What is on the disk of this learner's work, for the line above the activity. It asks alone, so nobody is there."""
    play = desk().plays.find(token, counts=False) or abort(404)
    return _state_of(play, desk().node.playing.kept(play))


@blueprint.post("/xapi/fetch")
def xapi_token(token: str) -> ResponseReturnValue:
    """cmi5's way to a password for the LRS; here the address itself is the password."""
    _play(token)
    return {"auth-token": "bG9udGFyOmxvbnRhcg=="}


@blueprint.get("/xapi/about")
def xapi_about(token: str) -> ResponseReturnValue:
    _play(token)
    return {"version": ["1.0.3"]}


@blueprint.route("/xapi/statements", methods=["PUT", "POST", "GET"])
def xapi_statements(token: str) -> ResponseReturnValue:
    if request.method == "GET":
        _play(token)
        return {"statements": [], "more": ""}
    play = _speaking(token)
    statements = outcomes.decoded_statements(_body())
    # All of them are read before the first is recorded.
    _take(play, *[outcomes.of_statement(statement) for statement in statements])
    if request.method == "PUT":
        return "", 204
    ids = [statement.get("id") for statement in statements]
    return [id_ if isinstance(id_, str) else str(uuid.uuid4()) for id_ in ids]


@blueprint.route("/xapi/activities/state", methods=["PUT", "POST", "GET", "DELETE"])
def xapi_state(token: str) -> ResponseReturnValue:
    """Documents that an AU keeps for itself, and the one that says how it was launched."""
    name = request.args.get("stateId", "")[: outcomes.ID_MOST]
    if request.method == "GET":
        documents = _documents(desk().node.playing.kept(_play(token)).state)
        if name == "LMS.LaunchData":
            return player_pages.LAUNCH_DATA
        if not name:
            return list(documents)
        if name not in documents:
            return "", 404
        media_type, text = documents[name]
        return Response(text, content_type=media_type)
    media_type = _media_type(request.content_type or "application/json")
    # Without a name all are deleted (xAPI, section 2.3 of part 3).
    said = None if request.method == "DELETE" else (media_type, _body().decode("utf-8", "replace"))
    desk().node.playing.change_state(_speaking(token), lambda state: _with_document(state, name, said))
    return "", 204


@blueprint.route("/xapi/<path:path>", methods=["GET", "PUT", "POST", "DELETE"])
def xapi_rest(token: str, path: str) -> ResponseReturnValue:
    """Profiles of agents and activities: there are none here, and none are kept."""
    _play(token)
    return "", 404 if request.method == "GET" else 403


@blueprint.after_request
def say_version(response: Response) -> Response:
    """xAPI, section 3.3: every answer of an LRS says its version."""
    if "/xapi/" in request.path:
        response.headers["X-Experience-API-Version"] = "1.0.3"
    return response


def beside(host: str, port: int) -> str:
    """The origin on the same host at another port."""
    name = urlsplit(f"//{host}").hostname or "localhost"
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _documents(state: str) -> dict[str, tuple[str, str]]:
    """What an AU kept, by its names: (media type, text). Nothing if another player kept it."""
    try:
        return msgspec.json.decode(state or "{}", type=dict[str, tuple[str, str]])
    except (msgspec.MsgspecError, RecursionError):
        return {}


def _with_document(state: str, name: str, said: tuple[str, str] | None) -> str:
    documents = _documents(state) if name or said else {}
    documents.pop(name, None)
    if said is not None:
        documents[name] = said
    return outcomes.kept(json.dumps(documents, ensure_ascii=False))


def _play(token: str) -> Play:
    return desk().plays.find(token) or abort(404)


def _speaking(token: str) -> Play:
    """The play, if it hasn't said too much lately: each time is a write to the disk that all learners share."""
    play = _play(token)
    if not play.may_speak(desk().node.recorder.now()):
        abort(429)
    return play


def _take(play: Play, *said: Outcome) -> Kept:
    return desk().node.playing.take(play, *said)


def _body() -> bytes:
    return request.get_data(cache=False)


def _state_of(play: Play, kept: Kept) -> dict[str, Any]:
    score = kept.recorded if kept.recorded is not None else kept.score
    is_handed_in = kept.recorded == kept.score
    is_over = not is_handed_in and desk().node.playing.attempts_are_over(play)
    return {"score": score, "completed": kept.completed, "handed_in": is_handed_in, "over": is_over}


def _content(token: str, entry: str) -> str:
    path = path_of(entry)
    return f"/{token}/isi/{quote(path)}{entry[len(path) :]}"


def _launch(token: str, lesson: str, entry: str) -> str:
    """The address of an AU with what cmi5, section 8.1, puts behind it; whoever learns is nobody there."""
    address, mark, fragment = _content(token, entry).partition("#")
    root = request.host_url.rstrip("/")
    query = {
        "endpoint": f"{root}/{token}/xapi/",
        "fetch": f"{root}/{token}/xapi/fetch",
        "actor": json.dumps(player_pages.ACTOR),
        "registration": player_pages.REGISTRATION,
        "activityId": f"urn:lontar:{quote(lesson)}",
    }
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}{mark}{fragment}"


def _file(media: Media | None) -> Response:
    if media is None:
        abort(404)
    return in_parts(media.file, _content_type(media), media.size)


def _content_type(media: Media) -> str:
    """An old page says its encoding itself; whatever says nothing is UTF-8."""
    said = _media_type(media.media_type)
    if not said.startswith("text/") or "charset" in said:
        return said
    begins = media.file.read(1024).lower()
    media.file.seek(0)
    says_it = said == "text/html" and b"charset=" in begins
    return said if says_it or begins[:2] in _UTF_16 else f"{said}; charset=utf-8"


def _media_type(said: str | None) -> str:
    """What a pack or an AU says that something is, if that can stand in a header."""
    return said if said and _MEDIA_TYPE.fullmatch(said) else _ANY_TYPE


def _refuse_strangers() -> None:
    if not host_is_ours(request.host):
        abort(400, WRONG_HOST)
    # Choosing a language sets a cookie, which is for the pages to do.
    if request.blueprint not in (None, blueprint.name):
        abort(404)
    # A service worker would outlive its play, and is told the addresses of others.
    if "Service-Worker" in request.headers:
        abort(403)


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    # Of a foreign host nothing is repeated.
    is_ours = host_is_ours(request.host)
    around = f"'self' {beside(request.host, current_app.config['PAGES_PORT'])}" if is_ours else "'none'"
    response.headers["Content-Security-Policy"] = "; ".join((*_POLICY, f"frame-ancestors {around}"))
    return response


def _said(problem: LontarError) -> ResponseReturnValue:
    return {"result": False, "errorCode": 101, "problem": problem.code}, problem.http_status

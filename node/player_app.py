"""The second origin: where SCORM, H5P and cmi5 run, apart from the pages of the village.

Its own port, no cookies, no sessions. Every address stands under a play's token, which nobody can guess and which opens one
activity for one learner; the policy lets what runs there reach nothing else, neither the internet nor the pages. What it says
of the learner's work goes through `outcomes`. Why so: docs/decisions/0013-players.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any, Final, cast
from urllib.parse import quote, urlencode, urlsplit

from flask import Blueprint, Flask, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.wsgi import FileWrapper

from content_packs.outline import path_of
from content_packs.piece_file import Media
from content_packs.players import FOLDER
from node import outcomes, player_pages
from node.desk import Desk, adopt, desk
from node.outcomes import BODY_MOST, Outcome
from node.playing import Kept
from node.plays import Play
from sync.errors import LontarError
from web import languages
from web.security import WRONG_HOST, host_is_ours

OWN: Final = Path(__file__).parent / "player"
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
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), display-capture=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

blueprint = Blueprint("play", __name__, url_prefix="/<token>")


def create_player_app(shared: Desk) -> Flask:
    """The application behind the player's port, of the same laptop as the pages whose desk it is given."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_MOST
    adopt(app, shared)
    languages.prepare(app, languages.ALL)
    app.register_blueprint(blueprint)
    app.before_request(_refuse_foreign_hosts)
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
    if lesson.player == "scorm":
        made = player_pages.scorm(_content(token, lesson.entry), kept)
    elif lesson.player == "h5p":
        made = player_pages.h5p(f"/{token}/isi", kept)
    elif lesson.player == "cmi5":
        made = player_pages.cmi5(_launch(token, lesson.id, lesson.entry), kept)
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
    play = _play(token)
    kept = _take(play, outcomes.of_scorm(_body(), is_final="akhir" in request.args))
    return {"result": True, "errorCode": 0, **_state_of(kept)}


@blueprint.post("/hasil/h5p")
def h5p_result(token: str) -> ResponseReturnValue:
    return _state_of(_take(_play(token), outcomes.of_h5p(_body())))


@blueprint.get("/keadaan")
def state(token: str) -> ResponseReturnValue:
    """What is on the disk of this learner's work, for the line above the activity."""
    return _state_of(desk().node.playing.kept(_play(token)))


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
    play = _play(token)
    if request.method == "GET":
        return {"statements": [], "more": ""}
    statements = outcomes.decoded_statements(_body())
    # All of them are read before the first is recorded.
    for outcome in [outcomes.of_statement(statement) for statement in statements]:
        _take(play, outcome)
    if request.method == "PUT":
        return "", 204
    return [str(statement.get("id", "")) for statement in statements]


@blueprint.route("/xapi/activities/state", methods=["PUT", "POST", "GET", "DELETE"])
def xapi_state(token: str) -> ResponseReturnValue:
    """Documents that an AU keeps for itself, and the one that says how it was launched."""
    play = _play(token)
    name = request.args.get("stateId", "")
    kept = desk().node.playing.kept(play)
    documents = _documents(kept.state)
    if request.method == "GET":
        if name == "LMS.LaunchData":
            return player_pages.LAUNCH_DATA
        if not name:
            return list(documents)
        return Response(documents[name], mimetype="application/json") if name in documents else ("", 404)
    if request.method == "DELETE":
        documents.pop(name, None)
    else:
        documents[name[: outcomes.ID_MOST]] = _body().decode("utf-8", "replace")
    text = outcomes.kept(json.dumps(documents, ensure_ascii=False))
    _take(play, Outcome(state=text))
    return "", 204


@blueprint.route("/xapi/<path:path>", methods=["GET", "PUT", "POST", "DELETE"])
def xapi_rest(token: str, path: str) -> ResponseReturnValue:
    """Profiles of agents and activities: there are none here."""
    _play(token)
    return ("", 404) if request.method == "GET" else ("", 204)


def beside(host: str, port: int) -> str:
    """The origin on the same host at another port."""
    name = urlsplit(f"//{host}").hostname or "localhost"
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _documents(state: str) -> dict[str, str]:
    """What an AU kept, by its names; nothing if another player kept it."""
    found = json.loads(state) if state else {}
    return {name: text for name, text in found.items() if isinstance(text, str)}


def _play(token: str) -> Play:
    return desk().plays.find(token) or abort(404)


def _take(play: Play, outcome: Outcome) -> Kept:
    return desk().node.playing.take(play, outcome)


def _body() -> bytes:
    return request.get_data(cache=False)


def _state_of(kept: Kept) -> dict[str, Any]:
    score = kept.recorded if kept.recorded is not None else kept.score
    return {"score": score, "completed": kept.completed, "handed_in": kept.recorded == kept.score}


def _content(token: str, entry: str) -> str:
    path = path_of(entry)
    return f"/{token}/isi/{quote(path)}{entry[len(path) :]}"


def _launch(token: str, lesson: str, entry: str) -> str:
    """The address of an AU with what cmi5, section 8.1, puts behind it; whoever learns is nobody there."""
    address = _content(token, entry)
    root = request.host_url.rstrip("/")
    query = {
        "endpoint": f"{root}/{token}/xapi/",
        "fetch": f"{root}/{token}/xapi/fetch",
        "actor": json.dumps(player_pages.ACTOR),
        "registration": player_pages.REGISTRATION,
        "activityId": f"urn:lontar:{quote(lesson)}",
    }
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def _file(media: Media | None) -> Response:
    if media is None:
        abort(404)
    response = Response(
        FileWrapper(cast("IO[bytes]", media.file)), mimetype=media.media_type, direct_passthrough=True
    )
    response.content_length = media.size
    response.make_conditional(request, accept_ranges=True, complete_length=media.size)
    return response


def _refuse_foreign_hosts() -> None:
    if not host_is_ours(request.host):
        abort(400, WRONG_HOST)


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    pages = beside(request.host, current_app.config["PAGES_PORT"])
    response.headers["Content-Security-Policy"] = "; ".join((*_POLICY, f"frame-ancestors 'self' {pages}"))
    return response


def _said(problem: LontarError) -> ResponseReturnValue:
    return {"result": False, "errorCode": 101, "problem": problem.code}, problem.http_status

"""My courses, one course, a lesson to read, my progress."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from content_packs.outline import PLAYERS
from node import mydata
from node.course_state import CourseState, LessonState, hours_earned
from node.desk import course_or_404, desk, for_learners, lesson_or_404, sitting
from node.home import home
from node.lesson_page import LIST_FROM, with_ids
from node.player_app import beside
from node.sittings import Sitting
from node.views.downloads import kept
from web.languages import gettext as _
from web.ranges import shown
from web.security import CONTENT_POLICY

blueprint = Blueprint("learn", __name__)


@blueprint.get("/pelatihan")
@for_learners
def courses(here: Sitting) -> ResponseReturnValue:
    learning, places = desk().node.learning, desk().node.places.places(here.who)
    return render_template(
        "courses.html", home=home(learning.courses(here.who), places, learning.under_way(here.who))
    )


@blueprint.get("/pelatihan/<int:pack>")
@for_learners
def course(here: Sitting, pack: int) -> ResponseReturnValue:
    found = course_or_404(here.who, pack)
    return render_template("course.html", course=found, durations=desk().node.learning.durations(pack))


@blueprint.get("/pelatihan/<int:pack>/materi/<int:lesson>")
@for_learners
def read(here: Sitting, pack: int, lesson: int) -> ResponseReturnValue:
    course, state = lesson_or_404(here.who, pack, lesson)
    node = desk().node
    # Reloading the page is not another opening.
    if here.show(node.recorder.now(), pack, lesson):
        content = node.places.open_lesson(here.who, pack, lesson)
    else:
        content = node.learning.content(pack, lesson)
    if state.lesson.player:
        return _activity(here, course, state, content.html)
    html, headings = with_ids(content.html)
    place = node.places.place(here.who, pack, lesson)
    return render_template(
        "lesson.html",
        course=course,
        state=state,
        html=html,
        headings=headings if len(headings) >= LIST_FROM else [],
        place=place,
        place_name=next((one.text for one in headings if one.id == place.heading), ""),
        duration=node.learning.durations(pack).get(lesson),
    )


@blueprint.post("/pelatihan/<int:pack>/materi/<int:lesson>/tempat")
def reach(pack: int, lesson: int) -> ResponseReturnValue:
    """The lesson's script says where its reader is; nobody looks at the answer, so it is no page."""
    here, form = sitting(), request.form
    if here is None or here.is_operator:
        return "", 401
    within, share = form.get("within", 0, type=int), form.get("share", 0, type=int)
    desk().node.places.reach(here.who, pack, lesson, form.get("heading", ""), within, share)
    return "", 204


@blueprint.post("/pelatihan/<int:pack>/materi/<int:lesson>/dibaca")
@for_learners
def finish(here: Sitting, pack: int, lesson: int) -> ResponseReturnValue:
    course, state = lesson_or_404(here.who, pack, lesson)
    seconds = here.looked_s(desk().node.recorder.now(), pack, lesson)
    desk().node.learning.finish_reading(here.who, pack, lesson, seconds)
    flash(_("Tersimpan di perangkat ini."))
    if state.lesson.question_ids and not state.attempts:
        return redirect(url_for("quiz.overview", pack=pack, lesson=lesson))
    if course.lesson(lesson + 1):
        return redirect(url_for("learn.read", pack=pack, lesson=lesson + 1))
    return redirect(url_for("learn.course", pack=pack))


@blueprint.get("/pelatihan/<int:pack>/media/<path:path>")
@for_learners
def media(here: Sitting, pack: int, path: str) -> ResponseReturnValue:
    media = desk().node.learning.media(pack, path) or abort(404)
    response = shown(media.file, media.media_type, media.size)
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response


@blueprint.get("/kemajuan")
@for_learners
def progress(here: Sitting) -> ResponseReturnValue:
    found = desk().node.learning.courses(here.who)
    return render_template("progress.html", courses=found, hours=hours_earned(found))


@blueprint.post("/kemajuan/unduh")
@for_learners
def download(here: Sitting) -> ResponseReturnValue:
    file = mydata.export(desk().node, here.who, _(mydata.ABOUT))
    return kept(file, "application/json", "data-saya-lontar.json")


def _activity(here: Sitting, course: CourseState, state: LessonState, html: str) -> Response:
    """A lesson that is played: its page holds a frame of the second origin, if there is what plays it."""
    port, player = current_app.config["PLAYER_PORT"], state.lesson.player
    can_play = player in PLAYERS and (player == "cmi5" or desk().node.learning.players() is not None)
    origin = beside(request.host, port) if port and can_play else ""
    frame = ""
    if origin:
        play = desk().plays.begin(here, course.pack, state.lesson.number, desk().node.recorder.now())
        frame = f"{origin}/{play.token}/"
    page = render_template(
        "activity.html", course=course, state=state, html=html, frame=frame, lacks_player=not can_play
    )
    response = make_response(page)
    if origin:
        response.headers["Content-Security-Policy"] = f"{CONTENT_POLICY}; frame-src {origin}"
    return response

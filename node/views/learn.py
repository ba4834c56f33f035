"""My courses, one course, a lesson to read, my progress."""

from __future__ import annotations

from typing import IO, cast

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wsgi import FileWrapper

from node import mydata
from node.course_state import CourseState
from node.desk import course_or_404, desk, for_learners, lesson_or_404
from node.sittings import Sitting
from web.languages import gettext as _

blueprint = Blueprint("learn", __name__)


@blueprint.get("/pelatihan")
@for_learners
def courses(here: Sitting) -> ResponseReturnValue:
    found = sorted(desk().node.learning.courses(here.who), key=_most_urgent_first)
    return render_template("courses.html", courses=found)


@blueprint.get("/pelatihan/<int:pack>")
@for_learners
def course(here: Sitting, pack: int) -> ResponseReturnValue:
    return render_template("course.html", course=course_or_404(here.who, pack))


@blueprint.get("/pelatihan/<int:pack>/materi/<int:lesson>")
@for_learners
def read(here: Sitting, pack: int, lesson: int) -> ResponseReturnValue:
    course, state = lesson_or_404(here.who, pack, lesson)
    learning = desk().node.learning
    # Reloading the page is not another opening.
    if here.show(desk().node.recorder.now(), pack, lesson):
        content = learning.open_lesson(here.who, pack, lesson)
    else:
        content = learning.content(pack, lesson)
    return render_template("lesson.html", course=course, state=state, html=content.html)


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
    shown = desk().node.learning.media(pack, path) or abort(404)
    # A film is read piece by piece, from where its viewer is.
    response = Response(
        FileWrapper(cast("IO[bytes]", shown.file)), mimetype=shown.media_type, direct_passthrough=True
    )
    response.content_length = shown.size
    response.make_conditional(request, accept_ranges=True, complete_length=shown.size)
    response.headers["Cache-Control"] = "private, max-age=86400"
    # A picture may be an SVG that somebody opens as a page of its own.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response


@blueprint.get("/kemajuan")
@for_learners
def progress(here: Sitting) -> ResponseReturnValue:
    return render_template("progress.html", courses=desk().node.learning.courses(here.who))


@blueprint.post("/kemajuan/unduh")
@for_learners
def download(here: Sitting) -> ResponseReturnValue:
    file = mydata.export(desk().node, here.who, _(mydata.ABOUT))
    response = Response(file, mimetype="application/json")
    response.headers["Content-Disposition"] = "attachment; filename=data-saya-lontar.json"
    return response


def _most_urgent_first(course: CourseState) -> tuple[bool, bool, int]:
    return course.completed, not course.started, course.pack

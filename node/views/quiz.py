"""A quiz, one question a page. Each answer is on the disk before the next page is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from content_packs.questions import Question, QuestionKind, is_right, read_answer
from node.course_state import LessonState
from node.desk import desk, for_learners, lesson_or_404
from node.errors import NodeError
from node.sittings import Sitting
from web.languages import gettext as _

blueprint = Blueprint("quiz", __name__, url_prefix="/pelatihan/<int:pack>/materi/<int:lesson>/kuis")


@blueprint.get("")
@for_learners
def overview(here: Sitting, pack: int, lesson: int) -> ResponseReturnValue:
    course, state = lesson_or_404(here.who, pack, lesson)
    questions = _questions(pack, lesson)
    answers = desk().node.learning.open_answers(here.who, pack, lesson)
    return render_template(
        "quiz.html",
        course=course,
        state=state,
        questions=questions,
        answers=answers,
        following=next_unanswered(questions, answers),
        attempts_left=course.attempts_left(lesson),
    )


@blueprint.route("/<int:number>", methods=["GET", "POST"])
@for_learners
def question(here: Sitting, pack: int, lesson: int, number: int) -> ResponseReturnValue:
    course, state = lesson_or_404(here.who, pack, lesson)
    questions = _questions(pack, lesson)
    asked = next((one for one in questions if one.number == number), None) or abort(404)
    learning, now = desk().node.learning, desk().node.recorder.now()
    answers = learning.open_answers(here.who, pack, lesson)
    if course.attempts_left(lesson) == 0 or _is_of_a_past_attempt(state, answers):
        return redirect(url_for("quiz.overview", pack=pack, lesson=lesson))
    problem = given = ""
    if request.method == "POST":
        given = _given(asked)
        if read_answer(asked, given) is None:
            problem = _unanswered(asked)
        else:
            seconds = here.looked_s(now, pack, lesson, number)
            learning.answer(here.who, pack, lesson, number, given, seconds)
            flash(_("Jawaban soal %(number)s tersimpan di perangkat ini.", number=number))
            return _after(questions, learning.open_answers(here.who, pack, lesson), pack, lesson, number)
    here.show(now, pack, lesson, number)
    page = render_template(
        "question.html",
        course=course,
        state=state,
        questions=questions,
        asked=asked,
        answers=answers,
        given=given or answers.get(number, ""),
        problem=problem,
    )
    return page, 422 if problem else 200


@blueprint.post("/kirim")
@for_learners
def submit(here: Sitting, pack: int, lesson: int) -> ResponseReturnValue:
    state = lesson_or_404(here.who, pack, lesson)[1]
    learning = desk().node.learning
    answers = learning.open_answers(here.who, pack, lesson)
    if state.attempts and not answers:
        # Pressed twice, or again after going back.
        return redirect(url_for("quiz.result", pack=pack, lesson=lesson))
    if next_unanswered(_questions(pack, lesson), answers):
        flash(_("Masih ada soal yang belum dijawab."), "warn")
        return redirect(url_for("quiz.overview", pack=pack, lesson=lesson))
    try:
        learning.submit_quiz(here.who, pack, lesson)
    except NodeError as problem:
        flash(problem.sentence(_), "bad")
        return redirect(url_for("quiz.overview", pack=pack, lesson=lesson))
    return redirect(url_for("quiz.result", pack=pack, lesson=lesson))


@blueprint.get("/hasil")
@for_learners
def result(here: Sitting, pack: int, lesson: int) -> ResponseReturnValue:
    course, state = lesson_or_404(here.who, pack, lesson)
    learning = desk().node.learning
    reached = learning.last_result(here.who, pack, lesson)
    if reached is None:
        return redirect(url_for("quiz.overview", pack=pack, lesson=lesson))
    attempts_left = course.attempts_left(lesson)
    return render_template(
        "result.html",
        course=course,
        state=state,
        result=reached,
        is_right=is_right,
        questions=_questions(pack, lesson),
        attempts_left=attempts_left,
        # Whoever may still try a test again is told which answers were wrong, not which are right.
        reveals=reached.passed is not False or not attempts_left,
    )


def _is_of_a_past_attempt(state: LessonState, answers: Mapping[int, str]) -> bool:
    """Whether this page lay open, or was gone back to, since its attempt was handed in; then the person is told.

    Nobody begins another attempt without having pressed the button for it.
    """
    this = state.attempts + 1
    said = request.values.get("percobaan", type=int)
    is_past = said not in (None, this) or (
        request.method == "GET" and said is None and not answers and this > 1
    )
    if is_past:
        flash(
            _("Jawaban untuk percobaan itu sudah dikirim. Yang baru saja Anda buka tidak mengubahnya."),
            "warn",
        )
    return is_past


def _given(asked: Question) -> str:
    """The answer in the form, as `read_answer` takes it."""
    form = request.form
    match asked.kind:
        case QuestionKind.MULTIPLE:
            return ",".join(form.getlist("choice"))
        case QuestionKind.MATCHING:
            return ",".join(form.get(f"target-{place}", "") for place in range(len(asked.choices)))
        case QuestionKind.ORDERING:
            # The learner says for each step which place it takes.
            places = [form.get(f"place-{step}", 0, type=int) for step in range(len(asked.choices))]
            steps = sorted(range(len(places)), key=lambda step: places[step])
            return ",".join(map(str, steps)) if sorted(places) == list(range(1, len(places) + 1)) else ""
    return form.get("choice", "")


def _unanswered(asked: Question) -> str:
    match asked.kind:
        case QuestionKind.MULTIPLE:
            return _("Pilih paling sedikit satu jawaban.")
        case QuestionKind.MATCHING:
            return _("Pilih pasangan untuk setiap baris.")
        case QuestionKind.ORDERING:
            return _("Beri setiap langkah nomor urut yang berbeda.")
        case QuestionKind.TEXT:
            return _("Tulis jawaban Anda, paling banyak 200 huruf.")
        case QuestionKind.NUMBER:
            return _("Tulis jawaban Anda dengan angka, misalnya 12,5.")
    return _("Pilih salah satu jawaban.")


def next_unanswered(
    questions: Sequence[Question], answers: Mapping[int, str], after: int = 0
) -> int | None:
    """The number of the first question without an answer after question `after`, going round."""
    numbers = [one.number for one in questions if one.number not in answers]
    return next((number for number in numbers if number > after), numbers[0] if numbers else None)


def _after(
    questions: Sequence[Question], answers: Mapping[int, str], pack: int, lesson: int, number: int
) -> ResponseReturnValue:
    following = next_unanswered(questions, answers, number)
    if following is None:
        return redirect(url_for("quiz.overview", pack=pack, lesson=lesson))
    return redirect(url_for("quiz.question", pack=pack, lesson=lesson, number=following))


def _questions(pack: int, lesson: int) -> Sequence[Question]:
    return desk().node.learning.content(pack, lesson).questions or abort(404)

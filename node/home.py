"""What a learner's home says first: the one lesson to go on with, and what has been done so far. Pure.

The lesson that was opened last comes first, if there is something left to do in it; else what comes next in the course that was
last learned from; else the first course that nobody began.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.course_state import CourseState, LessonState
from node.reading_places import Place

Places = Mapping[tuple[bytes, str], Place]
Answered = Mapping[tuple[int, int], int]
"""(pack, lesson) to how many questions have an answer that isn't handed in."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """`answered` questions of the lesson's quiz wait to be handed in; `place` is where reading stopped."""

    course: CourseState
    state: LessonState
    place: Place
    answered: int

    @property
    def is_quiz(self) -> bool:
        return self.answered > 0


@dataclass(frozen=True, slots=True)
class Home:
    """The courses of one learner as the home page shows them. `seconds` and `done` are sums over all of them."""

    step: NextStep | None
    going: tuple[CourseState, ...]
    new: tuple[CourseState, ...]
    completed: tuple[CourseState, ...]
    seconds: int
    done: int
    total: int

    @property
    def is_empty(self) -> bool:
        return not (self.going or self.new or self.completed)


def home(courses: Sequence[CourseState], places: Places, answered: Answered) -> Home:
    """`done` and `total` count the lessons of courses that were begun."""
    begun = [one for one in courses if one.started or one.completed]
    going = sorted((one for one in begun if not one.completed), key=lambda one: -_last_t(one, places))
    return Home(
        _next_step(going, courses, places, answered),
        tuple(going),
        tuple(one for one in courses if one not in begun),
        tuple(one for one in courses if one.completed),
        sum(state.seconds for one in courses for state in one.lessons),
        sum(one.done for one in begun),
        sum(one.total for one in begun),
    )


def _next_step(
    going: Sequence[CourseState], courses: Sequence[CourseState], places: Places, answered: Answered
) -> NextStep | None:
    open_courses = [*going, *(one for one in courses if not one.started and not one.completed)]
    course = next((one for one in open_courses if one.next_lesson is not None), None)
    if course is None or course.next_lesson is None:
        return None
    state = _last_open(course, places) or course.lesson(course.next_lesson)
    if state is None:
        return None
    number = state.lesson.number
    return NextStep(course, state, place_of(course, state, places), answered.get((course.pack, number), 0))


def place_of(course: CourseState, state: LessonState, places: Places) -> Place:
    return places.get((course.manifest.course_key, state.lesson.id), Place())


def _last_open(course: CourseState, places: Places) -> LessonState | None:
    """The lesson of a course that was opened last, unless it is done."""
    opened = [(place_of(course, state, places).t, state) for state in course.lessons if not state.done]
    t, state = max(opened, key=lambda one: one[0])
    last = max(place_of(course, state, places).t for state in course.lessons)
    return state if t and t == last else None


def _last_t(course: CourseState, places: Places) -> int:
    return max(place_of(course, state, places).t for state in course.lessons)

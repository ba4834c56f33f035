"""Courses: how many take part, how many completed, and how the final tests went, down to the villages."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from hub.queries import courses, regions
from hub.views.desk import PAGE, page_number, pages_of, seen
from hub.views.places import bytes_or_404

blueprint = Blueprint("courses", __name__)


@blueprint.get("/pelatihan")
def listed() -> ResponseReturnValue:
    with seen() as connection:
        rows = courses.listed(connection)
    return render_template("courses.html", courses=rows)


@blueprint.get("/pelatihan/<key>")
def course(key: str) -> ResponseReturnValue:
    course_key = bytes_or_404(key)
    with seen() as connection:
        found = courses.listed(connection, only=course_key)
        if not found:
            abort(404)
        total = courses.count_villages(connection, course_key)
        page = min(page_number(), pages_of(total))
        villages = courses.by_village(connection, course_key, PAGE, (page - 1) * PAGE)
        names = regions.names(connection, {row.village for row in villages})
    return render_template(
        "course.html",
        course=found[0],
        villages=villages,
        names=names,
        total=total,
        page=page,
        pages=pages_of(total),
    )

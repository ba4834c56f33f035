"""The operator's class: every course by numbers, one course person by person, and the Rekap to take along."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from flask import Blueprint, Response, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from node import rekap_excel, rekap_pdf
from node.class_register import read_class, read_classes
from node.class_view import CourseClass, Member, Standing
from node.desk import desk, for_operator
from node.letterhead import now_here
from node.rekap import Rekap, make_rekap, trouble
from node.views.downloads import kept
from web.dates import day
from web.languages import gettext as _
from web.zones import ZONES

PAGE: Final = 25
MOST_QUESTIONS: Final = 10
"""Hard questions on the page; the Rekap holds all."""
_PARTS: Final[dict[str, Callable[[Member], bool]]] = {
    "": lambda member: True,
    "belum": lambda member: member.standing is Standing.NOT_STARTED,
    "sedang": lambda member: member.standing is Standing.UNDER_WAY,
    "selesai": lambda member: member.standing is Standing.COMPLETED,
    "bantuan": lambda member: member.stuck is not None,
}
_WRITERS: Final[dict[str, tuple[Callable[[Rekap], bytes], str]]] = {
    "xlsx": (rekap_excel.write_excel, rekap_excel.MEDIA_TYPE),
    "pdf": (rekap_pdf.write_pdf, rekap_pdf.MEDIA_TYPE),
}

blueprint = Blueprint("class_view", __name__, url_prefix="/operator/kelas")


@blueprint.get("")
@for_operator
def listed() -> ResponseReturnValue:
    classes = read_classes(desk().node, with_questions=False)
    return render_template("class_list.html", courses=[one.summary for one in classes])


@blueprint.get("/<int:pack>")
@for_operator
def shown(pack: int) -> ResponseReturnValue:
    course = read_class(desk().node, pack) or abort(404)
    part = request.args.get("lihat", "")
    chosen = [member for member in course.members if _PARTS.get(part, _PARTS[""])(member)]
    pages = max(1, -(-len(chosen) // PAGE))
    page = min(max(1, request.args.get("halaman", 1, int)), pages)
    return render_template(
        "class_course.html",
        course=course,
        one=course.summary,
        stuck=[member for member in course.members if member.stuck],
        people=chosen[(page - 1) * PAGE : page * PAGE],
        part=part if part in _PARTS else "",
        parts=_names_of_parts(course),
        page=page,
        pages=pages,
        hard=course.hard[:MOST_QUESTIONS],
        ago=_ago,
        trouble=trouble,
    )


@blueprint.post("/unduh/<kind>")
@for_operator
def download_all(kind: str) -> ResponseReturnValue:
    return _file(kind, None)


@blueprint.post("/<int:pack>/unduh/<kind>")
@for_operator
def download(pack: int, kind: str) -> ResponseReturnValue:
    return _file(kind, pack)


def _file(kind: str, pack: int | None) -> Response:
    if kind not in _WRITERS:
        abort(404)
    write, media_type = _WRITERS[kind]
    rekap = make_rekap(desk().node, pack)
    return kept(write(rekap), media_type, f"{rekap.file_name}.{kind}")


def _names_of_parts(course: CourseClass) -> list[tuple[str, str, int]]:
    """(value, name, how many) of the parts of the class that can be looked at alone."""
    one = course.summary
    return [
        ("", _("Semua"), one.people),
        ("belum", _("Belum dimulai"), one.not_started),
        ("sedang", _("Sedang berjalan"), one.under_way),
        ("selesai", _("Selesai"), one.completed),
        ("bantuan", _("Perlu bantuan"), one.stuck),
    ]


def _ago(ms: int | None) -> str:
    """When somebody was last here, in the words of the day; "–" if nothing tells."""
    zone = ZONES[current_app.config["ZONE"]]
    try:
        then = None if ms is None else datetime.fromtimestamp(ms / 1000, zone).date()
    except (OverflowError, ValueError, OSError):
        then = None
    if then is None:
        return "–"
    days = (now_here(desk().node).date() - then).days
    if days == 0:
        return _("hari ini")
    if days == 1:
        return _("kemarin")
    if 1 < days < 14:
        return _("%(count)s hari lalu", count=days)
    if 14 <= days < 60:
        return _("%(count)s minggu lalu", count=days // 7)
    return day(then)

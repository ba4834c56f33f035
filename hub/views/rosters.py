"""Lists of who works in each village: brought as a file or pasted, looked at first, and who of them has not begun."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Flask, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Connection

from hub import regions as region_list
from hub import rosters
from hub.errors import HubError
from hub.queries import persons, progress, regions
from hub.queries import rosters as kept
from hub.queries.rosters import Entry
from hub.regions import Region
from hub.roles import Right
from hub.rosters import Row
from hub.views import typed
from hub.views.desk import PAGE, hub, needs, operator, page_number, pages_of, seen
from sync.errors import LontarError
from web import tables
from web.languages import gettext as _
from web.tables import Fate

FILE_MOST: Final = 2 * 1024 * 1024
_EXAMPLES: Final = (
    ("17.05.10.2007", "Siti Aminah", "Sekretaris Desa"),
    ("17.05.10.2007", "Budi Santoso", "Kaur Keuangan"),
)
_WIDTHS: Final = (16, 36, 30, 24)

blueprint = Blueprint("rosters", __name__, url_prefix="/daftar-nama")


def prepare(app: Flask) -> None:
    """Let the two forms with lists be large, for operators. Comes before everything that reads forms."""
    app.before_request(_allow_more)


def _allow_more() -> None:
    if request.endpoint in ("rosters.preview", "rosters.keep") and current_user.is_authenticated:
        request.max_content_length = request.max_form_memory_size = FILE_MOST


@blueprint.get("")
@needs(Right.REGISTER)
def listed() -> ResponseReturnValue:
    return _page()


@blueprint.post("")
@needs(Right.REGISTER)
def preview() -> ResponseReturnValue:
    text, file = request.form.get("list", ""), request.files.get("file")
    try:
        if file is not None and file.filename:
            table = tables.read_table(file.stream.read(), rosters.ROWS_MOST)
        else:
            table = tables.read_text(text, rosters.ROWS_MOST)
        rows = _judged(table)
    except LontarError as refusal:
        return _page(refusal.sentence(_), text), 422
    good = [row for row in rows if row.can_be_kept]
    return render_template(
        "roster_preview.html",
        rows=rows,
        text=rosters.as_text(good),
        count=len(good),
        villages=len({row.village for row in good}),
        Fate=Fate,
        why=_why,
    )


@blueprint.post("/simpan")
@needs(Right.REGISTER)
def keep() -> ResponseReturnValue:
    """The good rows of the preview, judged once more: somebody may have brought the same list meanwhile."""
    try:
        rows = _judged(tables.read_text(request.form.get("list", ""), rosters.ROWS_MOST))
    except LontarError as refusal:
        return _page(refusal.sentence(_)), 422
    if any(row.fate is Fate.WRONG for row in rows):
        return _page(_("Daftar ini berubah sejak diperiksa. Periksa sekali lagi.")), 422
    count = rosters.keep(hub().engine, rows, hub().intake.now_ms())
    flash(_("%(count)s nama disimpan.", count=count))
    return redirect(url_for("rosters.listed"))


@blueprint.get("/contoh.xlsx")
@needs(Right.REGISTER)
def example() -> ResponseReturnValue:
    made = tables.as_workbook("Daftar", rosters.HEADINGS, _EXAMPLES, _WIDTHS[:3])
    return _file(made, "daftar-nama-desa.xlsx")


@blueprint.get("/<code>")
def village(code: str) -> ResponseReturnValue:
    return _village(code)


@blueprint.get("/<code>.xlsx")
@needs(Right.EXPORT)
def exported(code: str) -> ResponseReturnValue:
    with seen() as connection:
        entries = _entries(connection, code)[1]
    headings = (*rosters.HEADINGS, _("Keadaan"))
    rows = [(code, one.name, one.position, state_of(one)) for one in entries]
    return _file(tables.as_workbook(code, headings, rows, _WIDTHS), f"daftar-nama-{code}.xlsx")


@blueprint.post("/<code>/hapus")
@needs(Right.ERASE)
def erase(code: str) -> ResponseReturnValue:
    with seen() as connection:
        _entries(connection, code)
    if request.form.get("sure") != "ya":
        return _village(code, _("Beri tanda bahwa daftar ini boleh dihapus.")), 422
    count = rosters.erase(hub().engine, code)
    flash(_("Daftar nama desa ini dihapus (%(count)s nama).", count=count))
    return redirect(url_for("regions.region", code=code))


def state_of(entry: Entry) -> str:
    """How far somebody of a roster has come, in a few words."""
    if entry.learner is None:
        return _("Belum terdaftar di laptop")
    return _("Sudah mulai") if entry.has_begun else _("Belum mulai")


def _judged(table: list[list[str]]) -> list[Row]:
    rows = rosters.read(table)
    codes = {row.village for row in rows}
    with seen() as connection:
        known = kept.known_villages(connection, codes)
        here = kept.of_villages(connection, known)
    own = frozenset(code for code in known if operator().standing.covers(code))
    return rosters.judged(rows, own, here)


def _entries(connection: Connection, code: str) -> tuple[Region, list[Entry]]:
    """A village that has a roster, and the roster."""
    here = region_list.find(connection, code) if operator().standing.covers(code) else None
    roster = kept.of_villages(connection, [code]).get(code, ())
    if here is None or not roster:
        abort(404)
    learners = persons.of_village(connection, code)
    courses = progress.of_people(connection, [learner.pk for learner in learners])
    return here, kept.entries(roster, learners, courses)


def _village(code: str, problem: str = "") -> str:
    with seen() as connection:
        here, entries = _entries(connection, code)
        names = regions.names(connection, {code})
    return render_template(
        "roster.html", region=here, entries=entries, names=names, state_of=state_of, problem=problem
    )


def _page(problem: str = "", text: str = "") -> str:
    region, wrong = request.args.get("wilayah", "").strip(), ""
    with seen() as connection:
        try:
            code = typed.region_code(region)
        except HubError as refusal:
            code, wrong = "", refusal.sentence(_)
        villages, people = kept.count(connection, code)
        page = min(page_number(), pages_of(villages))
        rows = kept.listed(connection, code, PAGE, (page - 1) * PAGE)
        names = regions.names(connection, {village for village, _count in rows})
    return render_template(
        "rosters.html",
        rows=rows,
        names=names,
        villages=villages,
        people=people,
        region=region,
        wrong=wrong,
        problem=problem,
        text=text,
        most=rosters.ROWS_MOST,
        page=page,
        pages=pages_of(villages),
    )


def _why(row: Row) -> str:
    return _(row.why, name=row.of) if row.why else _("Akan disimpan.")


def _file(data: bytes, name: str) -> Response:
    response = Response(data, content_type=tables.XLSX)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response

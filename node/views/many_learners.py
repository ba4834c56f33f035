"""Adding many people at once: a file or a pasted list, a preview that explains each row, then all or none."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from node import many_learners
from node.desk import desk, for_operator
from node.learners import POSITIONS
from node.many_learners import Row
from node.views.downloads import kept
from sync.errors import LontarError
from web import tables
from web.languages import gettext as _
from web.tables import Fate

blueprint = Blueprint("many_learners", __name__, url_prefix="/operator/peserta/banyak")

_EXAMPLES: Final = (("Siti Aminah", POSITIONS[1]), ("Budi Santoso", POSITIONS[3]))


@blueprint.get("")
@for_operator
def form() -> ResponseReturnValue:
    return render_template("many_learners.html")


@blueprint.post("")
@for_operator
def preview() -> ResponseReturnValue:
    typed, file = request.form.get("list", ""), request.files.get("file")
    try:
        if file is not None and file.filename:
            table = tables.read_table(file.stream.read())
        else:
            table = tables.read_text(typed)
        rows = many_learners.judged(table, desk().node.learning.learners())
    except LontarError as refusal:
        return render_template("many_learners.html", problem=refusal.sentence(_), typed=typed), 422
    return render_template(
        "many_learners_preview.html",
        rows=rows,
        text=many_learners.as_text(row for row in rows if row.can_be_added),
        count=sum(row.fate is Fate.NEW for row in rows),
        problem="",
    )


@blueprint.post("/tambah")
@for_operator
def add() -> ResponseReturnValue:
    """The rows of the preview, judged once more: somebody may have added a name meanwhile."""
    node, chosen = desk().node, set(request.form.getlist("row"))
    try:
        rows = many_learners.judged(
            tables.read_text(request.form.get("list", "")), node.learning.learners()
        )
        added = [row for row in rows if row.can_be_added and str(row.number) in chosen]
        node.recorder.add_learners([node.recorder.new_profile(row.name, row.position) for row in added])
    except LontarError as refusal:
        return render_template("many_learners.html", problem=refusal.sentence(_)), 422
    if not added:
        flash(_("Tidak ada yang ditambahkan: tidak ada baris yang dicentang."), "warn")
        return redirect(url_for("many_learners.form"))
    flash(
        _(
            "%(count)s peserta ditambahkan. Mereka sekarang dapat memilih namanya dan membuat PIN.",
            count=len(added),
        )
    )
    return redirect(url_for("operator.learners"))


@blueprint.get("/contoh.csv")
@for_operator
def example_csv() -> ResponseReturnValue:
    """With a mark at its beginning and semicolons, so that Excel with Indonesian settings opens it well."""
    rows = (("Nama", "Jabatan"), *_EXAMPLES)
    text = "\ufeff" + "".join(f"{name};{position}\r\n" for name, position in rows)
    return kept(text.encode(), "text/csv; charset=utf-8", "daftar-peserta.csv")


@blueprint.get("/contoh.xlsx")
@for_operator
def example_xlsx() -> ResponseReturnValue:
    made = tables.as_workbook("Peserta", ("Nama", "Jabatan"), _EXAMPLES, (36, 30))
    return kept(made, tables.XLSX, "daftar-peserta.xlsx")


def why(row: Row) -> str:
    """What is to be said of a row."""
    return _(row.why, name=row.of) if row.why else _("Akan ditambahkan.")


blueprint.app_context_processor(lambda: {"why": why, "Fate": Fate})

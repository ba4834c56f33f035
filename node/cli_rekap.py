"""`lontar node rekap`: the class of the village as a file, as the operator's page makes it."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli_parts import DATA, opened
from node.errors import NodeError
from sync.cli_errors import speak_errors
from sync.errors import N_

if TYPE_CHECKING:
    from node.wiring import Node


@click.command(
    help=_(
        "Menulis rekap kelas ke berkas Excel (.xlsx) atau PDF. Berkasnya memuat nama dan tidak terkunci."
    )
)
@DATA
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=_("Berkas yang ditulis: namanya berakhir dengan .xlsx atau .pdf."),
)
@click.option(
    "--course", default=None, help=_("Id satu pelatihan, misalnya kas-desa; tanpa ini, semua pelatihan.")
)
@speak_errors
def rekap(data: Path, out: Path, course: str | None) -> None:
    from node.rekap import make_rekap

    if out.suffix.lower() not in (".xlsx", ".pdf"):
        raise NodeError(N_("Nama berkas rekap harus berakhir dengan .xlsx atau .pdf."))
    with opened(data) as made:
        found = make_rekap(made, None if course is None else _pack(made, course))
        if out.suffix.lower() == ".pdf":
            from node.rekap_pdf import write_pdf as write
        else:
            from node.rekap_excel import write_excel as write
        try:
            out.write_bytes(write(found))
        except OSError as problem:
            raise NodeError(N_("Berkas %(path)s tidak dapat ditulis."), path=out) from problem
        click.echo(_("Rekap ditulis di %(path)s.") % {"path": out})


def _pack(node: Node, course: str) -> int:
    """The number of the newest version of a course on the list.

    Raises:
        NodeError: it isn't installed.
    """
    from node.class_register import read_classes

    for one in read_classes(node, with_questions=False):
        manifest = node.learning.manifest(one.summary.pack)
        if manifest.course_id == course:
            return one.summary.pack
    raise NodeError(N_("Pelatihan %(course)s tidak ada di perangkat ini."), course=course)

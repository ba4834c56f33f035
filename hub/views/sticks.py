"""Sticks at the centre: what came on one is taken in, and what goes back is fetched as a ZIP file."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import IO, Final

from flask import Blueprint, Flask, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_login import current_user

from hub import mail, parts
from hub.db import writing
from hub.errors import HubError
from hub.roles import Right
from hub.views import typed
from hub.views.desk import hub, needs, operator, seen
from hub.views.typed import TypedError
from sync import limits
from sync.courier import Taken
from sync.errors import N_
from sync.stick import Stick
from web.languages import gettext as _

UPLOAD_MOST: Final = 64 * 1024 * 1024
"""Bytes of one form with parts."""
FILES_MOST: Final = 10_000
DEVICES_MOST: Final = 2000
"""Devices whose mail fits into one ZIP file; a regency has fewer."""
_PART_MOST: Final = limits.PART + 1024
_DATE: Final = (1980, 1, 2, 0, 0, 0)
"""As on sticks: files don't tell when they were made."""

blueprint = Blueprint("sticks", __name__, url_prefix="/flashdisk")


def prepare(app: Flask) -> None:
    """Let this one form be large, for operators. Comes before everything that reads forms."""
    app.before_request(_allow_more)


def _allow_more() -> None:
    if request.endpoint == f"{blueprint.name}.{receive.__name__}" and current_user.is_authenticated:
        request.max_content_length = UPLOAD_MOST
        request.max_form_parts = FILES_MOST


@blueprint.get("")
@needs(Right.REGISTER)
def show() -> ResponseReturnValue:
    return _page()


@blueprint.post("/terima")
@needs(Right.REGISTER)
def receive() -> ResponseReturnValue:
    files = [file for file in request.files.getlist("parts") if file.filename]
    if not files:
        return _page(receive_problem=_("Pilih dulu berkas .LNB dari folder LONTAR/OUT di flashdisk.")), 422
    counts = parts.take_many(hub().intake, [file.read(_PART_MOST + 1) for file in files])
    return render_template("stick_received.html", counts=counts, taken=Taken, total=len(files))


@blueprint.post("/kirim")
@needs(Right.REGISTER)
def send() -> ResponseReturnValue:
    code = request.form.get("region", "").strip()
    try:
        file = _zipped_mail(code)
    except HubError as refusal:
        return _page(code, send_problem=refusal.sentence(_)), 422
    name = f"flashdisk-{code or 'semua'}.zip"
    return send_file(file, mimetype="application/zip", as_attachment=True, download_name=name)


def _zipped_mail(code: str) -> IO[bytes]:
    with seen() as connection:
        region = typed.own_region(connection, typed.region_code(code), operator().standing)
        count = len(mail.recipients(connection, region))
    if not count:
        raise TypedError(N_("Belum ada perangkat di wilayah ini, jadi belum ada yang dapat dikirim."))
    if count > DEVICES_MOST:
        raise TypedError(
            N_("Wilayah ini berisi %(count)s perangkat. Pilih yang lebih kecil, misalnya satu kabupaten."),
            count=count,
        )
    with tempfile.TemporaryDirectory(prefix="lontar-") as folder:
        with writing(hub().engine) as connection:
            bag = mail.compose(connection, hub().config, region, hub().intake.now_ms())
        mail.put(hub().config, Stick(Path(folder)), bag)
        return _zipped(Path(folder))


def _zipped(folder: Path) -> IO[bytes]:
    file = tempfile.TemporaryFile(prefix="lontar-")  # noqa: SIM115 - Flask closes it after sending
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as made:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            made.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix(), _DATE), path.read_bytes())
    file.seek(0)
    return file


def _page(code: str = "", receive_problem: str = "", send_problem: str = "") -> str:
    return render_template(
        "sticks.html",
        code=code,
        receive_problem=receive_problem,
        send_problem=send_problem,
        megabytes=UPLOAD_MOST // 1024 // 1024,
    )

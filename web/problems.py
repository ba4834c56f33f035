"""Error pages in plain words: what happened, whether the work is safe, what to do now.

The one place where a web page turns a refusal (`LontarError`) into a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Flask, render_template
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from sync.errors import N_, LontarError
from web.languages import gettext
from web.security import FOREIGN_FORM, WRONG_HOST


@dataclass(frozen=True)
class Problem:
    """One page: three texts (gettext message ids)."""

    title: str
    happened: str
    advice: str


SAFE: Final = N_("Pekerjaan yang sudah tersimpan tetap aman.")

PROBLEMS: Final = {
    400: Problem(
        N_("Permintaan tidak dipahami"),
        N_("Isian yang dikirim tidak lengkap atau tidak dikenal."),
        N_("Kembali ke halaman sebelumnya, muat ulang, lalu coba lagi."),
    ),
    403: Problem(
        N_("Anda tidak berhak membuka bagian ini"),
        N_("Bagian ini hanya untuk orang tertentu."),
        N_("Masuk dengan nama yang benar, atau hubungi operatornya."),
    ),
    404: Problem(
        N_("Halaman tidak ditemukan"),
        N_("Alamat yang dibuka tidak ada di sini."),
        N_("Periksa alamatnya atau mulai lagi dari halaman depan."),
    ),
    405: Problem(
        N_("Halaman ini tidak dapat dibuka langsung"),
        N_("Alamat ini hanya menerima isian dari sebuah formulir."),
        N_("Mulai lagi dari halaman depan."),
    ),
    413: Problem(
        N_("Isian terlalu besar"),
        N_("Isian yang dikirim lebih besar daripada yang dapat diterima."),
        N_("Kembali, kurangi isiannya, lalu kirim lagi."),
    ),
    500: Problem(
        N_("Terjadi kesalahan"),
        N_("Ada yang tidak berjalan sebagaimana mestinya pada perangkat ini."),
        N_("Coba lagi. Bila terjadi terus, catat jamnya dan beri tahu operator desa."),
    ),
}

RETRY_S: Final = 60

OLD_FORM: Final = Problem(
    N_("Formulir ini sudah tidak berlaku"),
    N_("Halaman terlalu lama terbuka, atau perangkat dimulai ulang sebelum isian dikirim."),
    N_("Kembali ke halaman sebelumnya, muat ulang, lalu kirim sekali lagi."),
)


REFUSED: Final = Problem(
    N_("Ini belum dapat dilakukan"),
    N_("Permintaan ini ditolak."),
    N_("Ikuti petunjuk di atas. Bila tidak berhasil, beri tahu operator desa."),
)


def prepare(app: Flask) -> None:
    """Show `app`'s errors as pages. What isn't one of ours is logged with its traceback by Flask."""
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(CSRFError, lambda _: _page(OLD_FORM, 400))
    app.register_error_handler(LontarError, _refusal)


def _http_problem(error: HTTPException) -> tuple[str, int] | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    problem = PROBLEMS.get(status, PROBLEMS[500 if status >= 500 else 400])
    happened = error.description if error.description in (WRONG_HOST, FOREIGN_FORM) else problem.happened
    return _page(Problem(problem.title, happened or "", problem.advice), status)


def _refusal(error: LontarError) -> tuple[str, int, dict[str, str]]:
    problem = PROBLEMS[error.http_status] if error.http_status in (403, 404, 413) else REFUSED
    page, status = _page(problem, error.http_status, happened=error.sentence(gettext), code=error.code)
    return page, status, {"Retry-After": str(RETRY_S)} if status == 503 else {}


def _page(problem: Problem, status: int, happened: str = "", code: str = "") -> tuple[str, int]:
    page = render_template(
        "problem.html",
        title=gettext(problem.title),
        happened=happened or gettext(problem.happened),
        safe=gettext(SAFE),
        advice=gettext(problem.advice),
        status=status,
        code=code,
    )
    return page, status

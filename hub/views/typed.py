"""What operators type into forms, cleaned and checked before anything is made of it."""

from __future__ import annotations

import re
import unicodedata
from typing import ClassVar, Final

from flask import request
from sqlalchemy import Connection

from hub import regions
from hub.errors import HubError
from hub.roles import Standing
from sync.errors import N_

REASON_MOST: Final = 300
"""Characters of a reason; it travels to the village in one entry."""
_KEPT: Final = "\n\t\u200c\u200d"
_CODE: Final = re.compile(r"[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?")


class TypedError(HubError):
    """A field that can't be used as it was filled in; nothing was changed."""

    code: ClassVar[str] = "typed"
    http_status = 422


def one_line(field: str, most: int, missing: str = "") -> str:
    """A field's text on one line; `missing` is the sentence if it must not be empty.

    Raises:
        TypedError: empty, or longer than `most` characters.
    """
    return _checked(" ".join(_clean(request.form.get(field, "")).split()), most, missing)


def many_lines(field: str, most: int, missing: str) -> str:
    """A field's text with its line breaks.

    Raises:
        TypedError: empty, or longer than `most` characters.
    """
    lines = (" ".join(line.split()) for line in _clean(request.form.get(field, "")).splitlines())
    return _checked("\n".join(lines).strip(), most, missing)


def new_password() -> str:
    """A password that somebody chose, written twice.

    Raises:
        TypedError: not twice the same.
    """
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        raise TypedError(N_("Kedua kata sandi tidak sama. Tulis lagi."))
    return password


def reason() -> str:
    return one_line("reason", REASON_MOST, N_("Tulis alasannya; operator desa akan membacanya."))


def region_code(text: str) -> str:
    """The code of a region as somebody typed it, or "" for everywhere.

    Raises:
        TypedError: it can't be one.
    """
    code = text.strip()
    if code and not _CODE.fullmatch(code):
        raise TypedError(
            N_("Kode wilayah seperti 17, 17.05, 17.05.10 atau 17.05.10.2007. Periksa lagi kodenya.")
        )
    return code


def known_region(connection: Connection, code: str) -> str:
    """`code`, if it is "" or that of a region in the list.

    Raises:
        TypedError: no region has it.
    """
    if code and regions.find(connection, code) is None:
        raise TypedError(N_("Wilayah dengan kode %(code)s tidak ada dalam daftar wilayah."), code=code)
    return code


def own_region(connection: Connection, code: str, standing: Standing) -> str:
    """A region that somebody acts on: a known one within the scope of who acts.

    Raises:
        TypedError: no region has this code, or it lies elsewhere.
    """
    if not standing.covers(known_region(connection, code)):
        raise TypedError(
            N_("Akun Anda berlaku untuk wilayah %(scope)s. Tulis kode wilayah itu atau yang di dalamnya."),
            scope=standing.scope,
        )
    return code


def _clean(text: str) -> str:
    """Without what can't be seen, turns lines round, or is refused by databases; scripts need the joiners."""
    unseen = ("Cc", "Cf", "Cs", "Cn")
    kept = (sign for sign in text if sign in _KEPT or unicodedata.category(sign) not in unseen)
    return unicodedata.normalize("NFC", "".join(kept))


def _checked(text: str, most: int, missing: str) -> str:
    if missing and not text:
        raise TypedError(missing)
    if len(text) > most:
        raise TypedError(N_("Isian ini terlalu panjang: paling banyak %(most)s huruf."), most=most)
    return text

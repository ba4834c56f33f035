"""What may be asked of the read API, as types, and how an address is read into them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from hub.errors import HubError
from sync.errors import N_

LIMIT_MOST: Final = 200
_REGION: Final = r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$"
_ID: Final = r"^[0-9a-f]{32}$"
_NUMBER: Final = r"^[0-9]{1,18}$"
_NAMED: Final = re.compile(r"`\$\.(\w+)`|unknown field `(.*)`$", re.DOTALL)

QuestionT = TypeVar("QuestionT", bound="Paged")


class AskedError(HubError):
    """A question that can't be answered as it was asked."""

    code: ClassVar[str] = "bad-question"
    http_status = 422


class Paged(Struct, kw_only=True, forbid_unknown_fields=True):
    """What every list can be asked."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MOST, description=N_("Paling banyak sekian."))] = 50


class ByNumber(Paged, kw_only=True, forbid_unknown_fields=True):
    after: Annotated[str, Meta(pattern=_NUMBER, description=N_("Isi next dari halaman sebelumnya."))] = ""


class ByCode(Paged, kw_only=True, forbid_unknown_fields=True):
    after: Annotated[str, Meta(pattern=_REGION, description=N_("Isi next dari halaman sebelumnya."))] = ""
    region: Annotated[
        str, Meta(pattern=_REGION, description=N_("Hanya yang di wilayah ini; tanpa ini, wilayah kunci."))
    ] = ""


class OfCourses(Paged, kw_only=True, forbid_unknown_fields=True):
    after: Annotated[str, Meta(pattern=_ID, description=N_("Isi next dari halaman sebelumnya."))] = ""


class OfProgress(ByCode, kw_only=True, forbid_unknown_fields=True):
    course: Annotated[str, Meta(pattern=_ID, description=N_("Hanya pelatihan ini."))] = ""


class _Regional(ByNumber, kw_only=True, forbid_unknown_fields=True):
    region: Annotated[
        str, Meta(pattern=_REGION, description=N_("Hanya yang di wilayah ini; tanpa ini, wilayah kunci."))
    ] = ""


class OfDevices(_Regional, kw_only=True, forbid_unknown_fields=True):
    state: Annotated[
        Literal["", "waiting", "registered", "refused", "revoked", "silent"],
        Meta(description=N_("Hanya yang dalam keadaan ini; silent: terdaftar dan 14 hari tanpa kabar.")),
    ] = ""


class OfLearners(_Regional, kw_only=True, forbid_unknown_fields=True):
    course: Annotated[str, Meta(pattern=_ID, description=N_("Hanya yang sudah memulai pelatihan ini."))] = (
        ""
    )


class OfCertificates(_Regional, kw_only=True, forbid_unknown_fields=True):
    course: Annotated[str, Meta(pattern=_ID, description=N_("Hanya untuk pelatihan ini."))] = ""
    state: Literal["", "valid", "withdrawn"] = ""


class OfAlerts(_Regional, kw_only=True, forbid_unknown_fields=True):
    state: Literal["", "open", "closed"] = ""


def read(asked: Mapping[str, list[str]], into: type[QuestionT]) -> QuestionT:
    """The question in the parameters of an address.

    Raises:
        AskedError: a parameter isn't known, stands twice, or has a value that it can't have.
    """
    for name, values in asked.items():
        # Python's `$` also fits before a last line break.
        if len(values) > 1 or values[0] == "" or values[0].endswith("\n"):
            raise unknown(name)
    try:
        return msgspec.convert({name: values[0] for name, values in asked.items()}, into, strict=False)
    except msgspec.ValidationError as problem:
        found = _NAMED.search(str(problem))
        raise unknown((found[1] or found[2]) if found else "?") from problem


def unknown(name: str) -> AskedError:
    return AskedError(N_("Parameter %(name)s tidak dikenal, atau nilainya tidak dapat dipakai."), name=name)

"""The OpenAPI 3.1 description of the read API, made of what serves it: `operations` and the types in `shapes`.

https://spec.openapis.org/oas/v3.1.1.html; schemas are JSON Schema 2020-12, which msgspec makes of types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from hub.api import problems
from hub.api.operations import LISTINGS, SINGLES, Listing
from hub.api.shapes import Id, Page, Problem
from hub.tokens import A_MINUTE, PREFIX
from sync.errors import N_

VERSION: Final = "1.0.0"
SERVER: Final = "/api/v1"
_REF: Final = "#/components/schemas/{name}"
_REFUSALS: Final = (401, 403, 422, 429, 503)
_ABOUT: Final = N_(
    "Membaca data satu wilayah dari pusat Lontar. Semua hanya dapat dibaca. Daftar datang halaman demi halaman: isikan "
    "next ke after sampai next kosong. Setiap jawaban punya ETag; kirim If-None-Match agar yang tidak berubah tidak "
    "dikirim lagi. Satu kunci boleh bertanya %(count)s kali semenit."
)
_LIMITED: Final = N_("Kapan boleh bertanya lagi, dalam detik.")
_TOKEN: Final = N_("Kunci API, diawali %(prefix)s; dibuat operator di /kunci-api.")
_SAME: Final = N_("Tidak berubah sejak ETag yang dikirim.")

Translate = Callable[[str], str]


def made(translate: Translate) -> dict[str, Any]:
    """The whole description, with its texts in the language of `translate`."""
    pages = [Page[one.item] for one in LISTINGS]  # type: ignore[name-defined]
    wanted = [*pages, *(one.item for one in SINGLES), Problem]
    shapes, schemas = msgspec.json.schema_components(wanted, ref_template=_REF)
    answers = dict(zip([*(one.name for one in LISTINGS), *SINGLES], shapes, strict=False))
    paths: dict[str, Any] = {}
    for listing in LISTINGS:
        told = _operation(listing.name, listing.says, answers[listing.name], (), translate)
        told["parameters"] = _parameters(listing)
        paths[f"/{listing.name}"] = {"get": told}
    for single in SINGLES:
        told = _operation(f"{single.name}.one", single.says, answers[single], (404,), translate)
        number = {"name": "number", "in": "path", "required": True, "schema": _schema(Id)}
        told["parameters"] = [number]
        paths[f"/{single.name}/{{number}}"] = {"get": told}
    for schema in schemas.values():
        schema.pop("description", None)
    described = {
        "openapi": "3.1.0",
        "info": {
            "title": "Lontar",
            "version": VERSION,
            "description": translate(_ABOUT) % {"count": A_MINUTE},
        },
        "servers": [{"url": SERVER}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": translate(_TOKEN) % {"prefix": PREFIX},
                }
            },
        },
    }
    spoken: dict[str, Any] = _translated(described, translate)
    return spoken


def _operation(
    name: str, says: str, answer: dict[str, Any], more: tuple[int, ...], translate: Translate
) -> dict[str, Any]:
    tag = {"ETag": {"schema": {"type": "string"}}}
    body = {"application/json": {"schema": answer}}
    responses = {
        "200": {"description": says, "headers": tag, "content": body},
        "304": {"description": _SAME},
    }
    # A region that isn't in the list is not found.
    for status in sorted({*_REFUSALS, *more, 404}):
        problem = {problems.MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}
        refusal: dict[str, Any] = {"description": problems.KINDS[status].title, "content": problem}
        if status in (429, 503):
            retry = {"description": _LIMITED, "schema": {"type": "integer", "minimum": 1}}
            refusal["headers"] = {"Retry-After": retry}
        responses[str(status)] = refusal
    return {"operationId": name, "summary": says, "responses": responses}


def _parameters(listing: Listing) -> list[dict[str, Any]]:
    schema = msgspec.json.schema_components([listing.question], ref_template=_REF)[1]
    properties = schema[listing.question.__name__]["properties"]
    return [_parameter(name, dict(about)) for name, about in properties.items()]


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """An empty default stands for a parameter that wasn't sent."""
    if schema.get("default") == "":
        del schema["default"]
    if "enum" in schema:
        schema = {**schema, "type": "string", "enum": [value for value in schema["enum"] if value]}
    told = {"name": name, "in": "query", "schema": schema}
    if "description" in schema:
        told["description"] = schema.pop("description")
    return told


def _schema(kind: Any) -> dict[str, Any]:
    schema: dict[str, Any] = msgspec.json.schema(kind)
    return schema


def _translated(part: Any, translate: Translate) -> Any:
    """`part` with every text for people in the language of `translate`."""
    if isinstance(part, list):
        return [_translated(one, translate) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: translate(value)
        if key in ("description", "summary") and isinstance(value, str)
        else _translated(value, translate)
        for key, value in part.items()
    }

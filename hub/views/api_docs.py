"""What programs of others can read here, for the people who write them: the OpenAPI description as a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hub import tokens
from hub.api import description, problems
from hub.api.app import PATH
from hub.views.api_keys import KINDS
from hub.views.desk import origin
from web.languages import gettext as _

blueprint = Blueprint("api_docs", __name__)


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of a question, or a field of an answer."""

    name: str
    kind: str
    says: str


@dataclass(frozen=True, slots=True)
class Operation:
    path: str
    says: str
    parameters: list[Field]
    answer: str
    is_list: bool


@dataclass(frozen=True, slots=True)
class Shape:
    name: str
    fields: list[Field]


@blueprint.get("/api")
def show() -> ResponseReturnValue:
    """Open to everyone: it says what could be asked, and nothing of what is here."""
    described = description.made(_)
    schemas = described["components"]["schemas"]
    operations = [_operation(path, told["get"], schemas) for path, told in described["paths"].items()]
    shapes = [
        Shape(name, [_field(field, about) for field, about in schema["properties"].items()])
        for name, schema in sorted(schemas.items())
        if not _is_page(name)
    ]
    return render_template(
        "api_docs.html",
        about=described["info"]["description"],
        server=PATH,
        operations=operations,
        shapes=shapes,
        problems=problems.KINDS,
        kinds=KINDS,
        example=f'curl -H "Authorization: Bearer {tokens.PREFIX}…" "{origin()}{PATH}/devices?region=17.05&state=silent"',
    )


def _operation(path: str, told: Mapping[str, Any], schemas: Mapping[str, Any]) -> Operation:
    answer = _name(told["responses"]["200"]["content"]["application/json"]["schema"])
    is_list = _is_page(answer)
    if is_list:
        answer = _name(schemas[answer]["properties"]["items"]["items"])
    parameters = [
        _field(one["name"], {**one["schema"], "description": one.get("description", "")})
        for one in told["parameters"]
    ]
    return Operation(path, told["summary"], parameters, answer, is_list)


def _field(name: str, schema: Mapping[str, Any]) -> Field:
    inner = [one for one in schema.get("anyOf", ()) if "description" in one]
    says = schema.get("description") or next((one["description"] for one in inner), "")
    return Field(name, _kind(schema), says)


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return _name(schema)
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if schema["type"] == "array":
        return f"[{_kind(schema['items'])}]"
    return str(schema.get("format", schema["type"]))


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _is_page(name: str) -> bool:
    return name.startswith("Page_")

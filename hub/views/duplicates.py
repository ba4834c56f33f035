"""People who may be one person twice, with what speaks for it; each pair leads to the page where it is decided."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from hub import regions as region_list
from hub.errors import HubError
from hub.likeness import AGAINST, WORDS
from hub.queries import duplicates, regions
from hub.views import typed
from hub.views.desk import PAGE, operator, page_number, pages_of, seen
from web.languages import gettext as _

blueprint = Blueprint("duplicates", __name__)


@blueprint.get("/orang-sama")
def listed() -> ResponseReturnValue:
    region = request.args.get("wilayah", "").strip()
    with seen() as connection:
        try:
            code = typed.region_code(region) or operator().standing.scope
            code = typed.own_region(connection, code, operator().standing)
        except HubError as refusal:
            return _page(region, problem=refusal.sentence(_)), 422
        if len(code) < duplicates.REGENCY:
            # Names can't be searched by the database; those of a regency are few enough to be opened.
            return _page(
                region,
                children=region_list.children(connection, code),
                tallies=regions.tallies(connection, code, regions.CHILD[len(code)]),
            )
        pairs, is_whole = duplicates.found(connection, code)
        page = min(page_number(), pages_of(len(pairs)))
        shown = duplicates.with_times(connection, pairs[(page - 1) * PAGE : page * PAGE])
        names = regions.names(
            connection, {code, *(person.village for pair in shown for person in (pair.one, pair.other))}
        )
    return _page(
        region,
        code=code,
        pairs=shown,
        total=len(pairs),
        is_whole=is_whole,
        names=names,
        page=page,
        pages=pages_of(len(pairs)),
    )


def _page(region: str, problem: str = "", **found: object) -> str:
    return render_template(
        "duplicates.html", region=region, problem=problem, words=WORDS, against=AGAINST, **found
    )

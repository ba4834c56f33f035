"""Where other laptops of the village knock: for what was learned, and for courses. No page."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as BaseResponse

from content_packs import pack_files, transfer
from node.desk import desk
from sync import exchange, limits, neighbour
from sync.errors import LontarError

blueprint = Blueprint("neighbour", __name__)


@blueprint.post(neighbour.PATH)
def answer() -> Response:
    request.max_content_length = limits.NEIGHBOUR_BODY
    try:
        return Response(
            desk().node.neighbours.answer(request.get_data(cache=False)), mimetype=exchange.MEDIA_TYPE
        )
    except LontarError as problem:
        refusal = exchange.encode_refusal(problem.code, problem.sentence())
        return Response(refusal, problem.http_status, mimetype=exchange.MEDIA_TYPE)


@blueprint.get(f"{transfer.ADDRESS}<path:name>")
def pack_file(name: str) -> BaseResponse:
    """A file of a course; whoever fetches it believes it by its hash."""
    return pack_files.serve(desk().node.packs.folder, request.environ)

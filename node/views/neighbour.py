"""Where other laptops of the village knock: one address, no page."""

from __future__ import annotations

from flask import Blueprint, Response, request

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

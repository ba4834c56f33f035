"""The places that are needed less often."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

blueprint = Blueprint("more", __name__)


@blueprint.get("/lainnya")
def show() -> ResponseReturnValue:
    return render_template("more.html")

"""How large text is and how strong its contrast, as each browser wants it: one cookie, chosen by links, without a script.

Like the language it changes only how this browser's pages look; on a shared laptop it lasts until somebody changes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from sync.errors import N_
from web.languages import COOKIE_SECONDS, safe_path

COOKIE: Final = "tampilan"
SIZES: Final = {"biasa": N_("Biasa"), "besar": N_("Besar"), "sangat-besar": N_("Sangat besar")}
CONTRASTS: Final = {"lembut": N_("Biasa"), "kuat": N_("Kuat: hitam di atas putih")}

blueprint = Blueprint("looks", __name__, url_prefix="/tampilan")


@dataclass(frozen=True, slots=True)
class Looks:
    """A choice of each; `classes` are what the style knows them by."""

    size: str = "biasa"
    contrast: str = "lembut"

    @property
    def classes(self) -> str:
        return f"teks-{self.size} kontras-{self.contrast}"


def prepare(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(lambda: {"looks": chosen()})


def chosen() -> Looks:
    """What this browser asked for; whatever else its cookie says is left aside."""
    size, _dot, contrast = request.cookies.get(COOKIE, "").partition(".")
    return Looks(size if size in SIZES else "biasa", contrast if contrast in CONTRASTS else "lembut")


@blueprint.get("")
def show() -> str:
    back = safe_path(request.args.get("next"))
    return render_template("looks.html", sizes=SIZES, contrasts=CONTRASTS, back=back)


@blueprint.get("/<size>/<contrast>")
def choose(size: str, contrast: str) -> Response:
    if size not in SIZES or contrast not in CONTRASTS:
        abort(404)
    response = redirect(safe_path(request.args.get("next")))
    response.set_cookie(
        COOKIE,
        f"{size}.{contrast}",
        max_age=COOKIE_SECONDS,
        httponly=True,
        samesite="Strict",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return response

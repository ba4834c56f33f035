"""One learner: every course with its lessons, scores, time, and when it was completed."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from hub.db import reading
from hub.queries import moments, progress, regions
from hub.views.desk import hub
from hub.views.places import bytes_or_404

blueprint = Blueprint("learners", __name__)


@blueprint.get("/peserta/<number>")
def learner(number: str) -> ResponseReturnValue:
    with reading(hub().engine) as connection:
        found = progress.find(connection, bytes_or_404(number)) or abort(404)
        courses = progress.of_learners(connection, [found.pk])[found.pk]
        time = moments.of_learner(connection, found.pk)
        names = regions.names(connection, {found.village})
    return render_template("learner.html", learner=found, courses=courses, time=time, names=names)

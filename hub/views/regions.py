"""Regions from the nation down to one village with its devices and learners."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from hub import regions as region_list
from hub.queries import devices, persons, progress, regions, rosters
from hub.regions import Region
from hub.views.desk import hub, operator, seen

DEVICES_MOST = 100

blueprint = Blueprint("regions", __name__, url_prefix="/wilayah")


@blueprint.get("")
def nation() -> ResponseReturnValue:
    search = request.args.get("q", "").strip()
    with seen() as connection:
        if search:
            standing = operator().standing
            found = [
                region for region in regions.search(connection, search) if standing.covers(region.code)
            ]
            names = regions.names(connection, {region.code for region in found})
            return render_template("region_search.html", search=search, found=found, names=names)
        if operator().standing.scope:
            return redirect(url_for("regions.region", code=operator().standing.scope))
        return _region(connection, Region("", "", ""))


@blueprint.get("/<code>")
def region(code: str) -> ResponseReturnValue:
    with seen() as connection:
        found = region_list.find(connection, code) if operator().standing.covers(code) else None
        if found is None:
            abort(404)
        return _village(connection, found) if len(code) == regions.VILLAGE else _region(connection, found)


def _region(connection: Connection, here: Region) -> str:
    return render_template(
        "region.html",
        region=here,
        path=region_list.path(connection, here.parent),
        children=region_list.children(connection, here.code),
        tallies=regions.tallies(connection, here.code, regions.CHILD[len(here.code)]),
        only_active="semua" not in request.args,
    )


def _village(connection: Connection, here: Region) -> str:
    learners = persons.of_village(connection, here.code)
    courses = progress.of_people(connection, [learner.pk for learner in learners])
    roster = rosters.of_villages(connection, [here.code]).get(here.code, ())
    return render_template(
        "village.html",
        region=here,
        path=region_list.path(connection, here.parent),
        devices=devices.of_village(connection, here.code, DEVICES_MOST),
        learners=learners,
        courses=courses,
        roster=rosters.entries(roster, learners, courses),
        now_ms=hub().intake.now_ms(),
    )

"""One person: courses, all identities of the same person, and the person's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from hub import identity
from hub.queries import certificates as issued
from hub.queries import moments, persons, progress, regions
from hub.queries.persons import Learner
from hub.queries.progress import Progress
from hub.roles import Right
from hub.views import typed
from hub.views.desk import came_from, hub, needs, seen
from hub.views.places import bytes_or_404
from hub.views.typed import TypedError
from web.languages import gettext as _

DISTRICT = 8


@dataclass(frozen=True, slots=True)
class _Effect:
    """What merging two people does to one course. Before: what each has now, None if it hasn't begun."""

    after: Progress
    before: tuple[Progress | None, Progress | None]
    certificates: tuple[tuple[str, ...], tuple[str, ...]]

    @classmethod
    def of(
        cls,
        after: Progress,
        both: tuple[Learner, Learner],
        courses: Mapping[int, Sequence[Progress]],
        certificates: Mapping[int, Mapping[bytes, Sequence[str]]],
    ) -> _Effect:
        key = after.course_key
        one, other = (
            next((course for course in courses[person.pk] if course.course_key == key), None)
            for person in both
        )
        numbers = [tuple(certificates[person.pk].get(key, ())) for person in both]
        return cls(after, (one, other), (numbers[0], numbers[1]))


blueprint = Blueprint("learners", __name__, url_prefix="/peserta")


@blueprint.get("/<number>")
def learner(number: str) -> ResponseReturnValue:
    return _page(number)


@blueprint.get("/<number>/gabung")
def search(number: str) -> ResponseReturnValue:
    """Find who may be the same person."""
    text, region, problem = request.args.get("q", "").strip(), request.args.get("wilayah"), ""
    with seen() as connection:
        found = _find(connection, number)
        given = found.village[:DISTRICT] if region is None else region.strip()
        people: list[Learner] = []
        whole = True
        try:
            code = typed.known_region(connection, typed.region_code(given))
        except TypedError as refusal:
            problem = refusal.sentence(_)
        else:
            if text or region is not None:
                people, whole = persons.search(connection, text, code, found.pk)
        names = regions.names(connection, {one.village for one in (*people, found)})
    page = render_template(
        "learner_search.html",
        learner=found,
        people=people,
        whole=whole,
        names=names,
        text=text,
        region=given,
        asked=bool(text) or region is not None,
        problem=problem,
        most=persons.FOUND_MOST,
    )
    return page, 422 if problem else 200


@blueprint.get("/<number>/gabung/<other>")
def compare(number: str, other: str) -> ResponseReturnValue:
    """The evidence, side by side, before two people become one."""
    with seen() as connection:
        both = (_find(connection, number), _find(connection, other))
        people = [one.pk for one in both]
        courses = progress.of_people(connection, people)
        merged = progress.as_one(connection, people)
        certificates = issued.of_people(connection, people)
        names = regions.names(connection, {one.village for person in both for one in person.identities})
        links = persons.links(connection, both[0])
    theirs = {one.id for one in both[1].identities}
    came = came_from()
    return render_template(
        "learner_compare.html",
        both=both,
        courses=courses,
        names=names,
        effects=[_Effect.of(after, both, courses, certificates) for after in merged],
        pairs=came if came.partition("?")[0] == url_for("duplicates.listed") else "",
        is_apart=any(not link.merged and {link.one, link.other} & theirs for link in links),
    )


@blueprint.post("/<number>/gabung/<other>")
@needs(Right.DECIDE, fresh=True)
def merge(number: str, other: str) -> ResponseReturnValue:
    one, two = bytes_or_404(number), bytes_or_404(other)
    _both_or_404(one, two)
    identity.merge(hub().engine, one, two, hub().intake.now_ms())
    flash(_("Keduanya kini dihitung sebagai satu peserta. Bila keliru, pisahkan lagi di bawah."))
    return redirect(url_for("learners.learner", number=number))


@blueprint.post("/<number>/pisah/<other>")
@needs(Right.DECIDE)
def separate(number: str, other: str) -> ResponseReturnValue:
    one, two = bytes_or_404(number), bytes_or_404(other)
    _both_or_404(one, two)
    identity.separate(hub().engine, one, two, hub().intake.now_ms())
    flash(_("Keduanya dipisahkan lagi; masing-masing dihitung sendiri."))
    return redirect(url_for("learners.learner", number=number))


@blueprint.post("/<number>/hapus-data")
@needs(Right.ERASE, fresh=True)
def erase(number: str) -> ResponseReturnValue:
    with seen() as connection:
        found = _find(connection, number)
    typed_name = " ".join(request.form.get("name", "").split()).casefold()
    if not found.name or typed_name != " ".join(found.name.split()).casefold():
        return _page(
            number, _("Nama tidak sama, jadi tidak ada yang dihapus. Tulis persis seperti di atas.")
        ), 422
    identity.erase(hub().engine, found.id, hub().intake.now_ms())
    flash(_("Data pribadi dihapus. Desa menghapus salinannya saat terhubung atau lewat flashdisk."))
    return redirect(url_for("learners.learner", number=number))


def _page(number: str, problem: str = "") -> str:
    with seen() as connection:
        found = _find(connection, number)
        courses = progress.of_people(connection, [found.pk])[found.pk]
        times = moments.of_identities(connection, [one.pk for one in found.identities])
        links = persons.links(connection, found)
        others = persons.people(connection, {id_ for link in links for id_ in (link.one, link.other)})
        names = regions.names(connection, {one.village for one in found.identities})
    return render_template(
        "learner.html",
        learner=found,
        courses=courses,
        completed={course.course_key: moments.first(times, course.completed) for course in courses},
        links=[link for link in links if link.merged],
        apart=[link for link in links if not link.merged],
        others=others,
        names=names,
        problem=problem,
    )


def _both_or_404(one: bytes, two: bytes) -> None:
    """Two identities that the operator sees, and not the same one twice."""
    with seen() as connection:
        if one == two or not persons.find(connection, one) or not persons.find(connection, two):
            abort(404)


def _find(connection: Connection, number: str) -> Learner:
    return persons.find(connection, bytes_or_404(number)) or abort(404)

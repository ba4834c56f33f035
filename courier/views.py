"""The officer's pages: a stick and what to do with it, the ledger, the hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from courier.desk import Desk, stick_name
from courier.errors import CourierError
from courier.ledger import Part, State
from courier.outcomes import Collected, Delivered, Fetched, Sent
from courier.overview import Outcome, Overview, overview, tag_name
from courier.packs import Brought
from courier.worker import Job, Task, Worker
from sync.drives import Drive
from sync.errors import N_, LontarError
from sync.keys import fingerprint
from sync.keyset import Keyset
from sync.stick import Stick
from sync.words import spoken, words_of
from web.languages import gettext as _

PAGE: Final = 40
_FOLDER_MOST: Final = 500

PluggedIn = Callable[[], list[Drive]]

blueprint = Blueprint("pages", __name__)


@dataclass(frozen=True)
class _Parts:
    desk: Desk
    worker: Worker
    plugged_in: PluggedIn


def prepare(app: Flask, desk: Desk, worker: Worker, plugged_in: PluggedIn) -> None:
    app.extensions["courier"] = _Parts(desk, worker, plugged_in)
    app.jinja_env.globals.update(Outcome=Outcome, State=State, Task=Task)
    app.register_blueprint(blueprint)


@blueprint.get("/")
def show() -> ResponseReturnValue:
    parts = _parts()
    sticks = parts.plugged_in()
    job = parts.worker.job()
    drive = _chosen(sticks, request.args.get("flashdisk", ""))
    if job is not None and not job.running and job.task is not Task.SEND:
        # What was done with another stick says nothing about this one.
        job = job if drive is not None and job.stick == stick_name(drive) else None
    seen: Overview | None = None
    offered: Keyset | None = None
    problem = ""
    if drive is not None and not (job is not None and job.running):
        try:
            seen = overview(parts.desk, drive)
            offered = parts.desk.keyset_on(drive)
        except LontarError as refusal:
            problem = refusal.sentence(_)
    waiting = parts.desk.ledger.waiting()
    return render_template(
        "stick.html",
        sticks=sticks,
        drive=drive,
        seen=seen,
        problem=problem,
        job=job,
        done=_done(job),
        error=_spoken(job),
        waiting=len(waiting),
        waiting_size=sum(part.size for part in waiting),
        unwritten=parts.desk.ledger.unwritten(),
        desk=parts.desk,
        offered=offered if parts.desk.trust.keyset is None else None,
        words=words_of(offered.root) if offered else (),
        root=fingerprint(offered.root) if offered else "",
        by_hand="folder" in request.args,
    )


@blueprint.post("/ambil")
def collect() -> ResponseReturnValue:
    drive = _posted()
    desk = _parts().desk
    _parts().worker.start(Task.COLLECT, stick_name(drive), lambda progress: desk.collect(drive, progress))
    return _back(drive)


@blueprint.post("/kirim")
def send() -> ResponseReturnValue:
    drive = _posted() if request.form.get("flashdisk") else None
    desk = _parts().desk
    steps = [desk.send, desk.fetch, desk.bring_packs] if desk.is_registered() else [desk.send]
    _parts().worker.start(Task.SEND, stick_name(drive) if drive else "", *steps)
    return _back(drive)


@blueprint.post("/isi")
def deliver() -> ResponseReturnValue:
    drive = _posted()
    desk = _parts().desk
    _parts().worker.start(Task.DELIVER, stick_name(drive), lambda progress: desk.deliver(drive, progress))
    return _back(drive)


@blueprint.post("/percaya")
def believe() -> ResponseReturnValue:
    drive = _posted()
    _parts().desk.believe(drive, request.form.get("sidik", ""))
    flash(_("Kunci pusat disimpan. Laptop ini hanya percaya pada pusat itu."))
    return _back(drive)


@blueprint.get("/riwayat")
def history() -> ResponseReturnValue:
    ledger = _parts().desk.ledger
    pages = max(1, -(-ledger.count_bundles() // PAGE))
    page = min(max(1, request.args.get("halaman", 1, int)), pages)
    route = ledger.route()
    rows = [
        (route.get(parts[0].sender), tag_name(parts[0].sender), parts, _states(parts))
        for parts in ledger.bundles(PAGE, (page - 1) * PAGE)
    ]
    return render_template("history.html", rows=rows, page=page, pages=pages)


@blueprint.get("/pusat")
def centre() -> ResponseReturnValue:
    return _centre()


@blueprint.post("/pusat")
def set_centre() -> ResponseReturnValue:
    desk = _parts().desk
    url, code = request.form.get("url", ""), request.form.get("kode", "").strip()
    try:
        if code:
            desk.register(url, code)
        else:
            desk.set_hub(url)
    except LontarError as refusal:
        return _centre(refusal.sentence(_), url, code), 422
    flash(_("Terdaftar di pusat.") if code else _("Alamat pusat disimpan."))
    return redirect(url_for("pages.centre"))


def _centre(problem: str = "", url: str = "", code: str = "") -> str:
    desk = _parts().desk
    keyset = desk.trust.keyset
    return render_template(
        "centre.html",
        desk=desk,
        url=url or desk.config.settings.hub_url,
        code=code,
        problem=problem,
        root=fingerprint(keyset.root) if keyset else "",
        words=spoken(keyset.root) if keyset else "",
        region=desk.ledger.get("region", ""),
        registration=desk.ledger.get("registration", ""),
        last_contact_ms=desk.ledger.get("last_contact_ms"),
    )


def _parts() -> _Parts:
    parts: _Parts = current_app.extensions["courier"]
    return parts


def _chosen(sticks: list[Drive], wanted: str) -> Stick | None:
    """The stick that the page is about: the one asked for, or the only one."""
    if wanted and len(wanted) <= _FOLDER_MOST:
        return Stick(Path(wanted))
    return Stick(sticks[0].path) if len(sticks) == 1 else None


def _posted() -> Stick:
    place = Path(request.form.get("flashdisk", "")[:_FOLDER_MOST])
    if not place.is_absolute() or not place.is_dir():
        raise CourierError(
            N_("Flashdisk %(place)s tidak ada lagi. Pasang lagi, lalu ulangi; data tetap aman."),
            place=place,
        )
    return Stick(place)


def _back(drive: Stick | None) -> ResponseReturnValue:
    return redirect(url_for("pages.show", flashdisk=str(drive.drive) if drive else None))


def _done(job: Job | None) -> dict[str, object]:
    """What the steps of a job brought, by what they are."""
    names = {
        Collected: "collected",
        Sent: "sent",
        Fetched: "fetched",
        Brought: "brought",
        Delivered: "delivered",
    }
    return {names[type(result)]: result for result in (job.results if job else ()) if type(result) in names}


def _spoken(job: Job | None) -> str:
    return job.error.sentence(_) if job is not None and job.error is not None else ""


def _states(parts: list[Part]) -> dict[State, int]:
    counts: dict[State, int] = {}
    for part in parts:
        counts[part.state] = counts.get(part.state, 0) + 1
    return counts

"""What the views of one laptop share: the node, the secrets, the sittings, and who is sitting here now."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final, TypeVar, cast

from flask import Flask, abort, current_app, flash, redirect, request, session, url_for
from flask_login import LoginManager, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from node import news
from node.course_state import CourseState, LessonState
from node.learners import Secrets
from node.people import Learner
from node.plays import Plays
from node.sittings import Sitting, Sittings, UndatedSessions
from node.unlocking import Unlocking
from node.visits import Visits
from node.wiring import Node
from sync.machine import Machine
from web.languages import gettext as _

_EXTENSION: Final = "lontar"
View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True)
class Desk:
    node: Node
    secrets: Secrets
    sittings: Sittings
    visits: Visits
    unlocking: Unlocking
    plays: Plays


def prepare(app: Flask, node: Node, visits: Visits | None = None) -> None:
    """Let `app` know its node and who is logged in; `visits` are how it uses sticks."""
    log_time = node.recorder.now
    secrets, sittings = Secrets(node.store, log_time, node.config.pepper), Sittings(log_time)
    unlocking = Unlocking(node, secrets, sittings, Machine().random_bytes)
    adopt(app, Desk(node, secrets, sittings, visits or Visits(node), unlocking, Plays(sittings)))
    app.session_interface = UndatedSessions()
    logins = LoginManager(app)
    logins.session_protection = "strong"
    logins.user_loader(lambda key: desk().sittings.find(key))
    logins.unauthorized_handler(_not_logged_in)
    app.context_processor(
        lambda: {
            "sitter": sitter,
            "counts": lambda: desk().node.recorder.counts(),
            "unseen_news": lambda: news.unseen(desk().node),
        }
    )


def adopt(app: Flask, shared: Desk) -> None:
    """Let `app` work at this desk."""
    app.extensions[_EXTENSION] = shared


def desk_of(app: Flask) -> Desk:
    return cast(Desk, app.extensions[_EXTENSION])


def desk() -> Desk:
    return desk_of(current_app)


def sitting() -> Sitting | None:
    """The sitting at this browser, if there is one."""
    return cast(Sitting, current_user) if current_user.is_authenticated else None


def sitter() -> Learner | None:
    """The learner who is logged in at this browser."""
    here = sitting()
    return None if here is None or here.is_operator else desk().node.learning.learner(here.who)


def is_operator() -> bool:
    """Whether the village operator is logged in at this browser."""
    here = sitting()
    return here is not None and here.is_operator


def is_local(address: str | None) -> bool:
    """Whether the browser runs on the laptop itself."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def at_the_laptop() -> bool:
    return is_local(request.remote_addr)


def begin_sitting(who: int) -> None:
    """Log `who` in; nothing of an earlier session stays."""
    end_sitting()
    login_user(desk().sittings.begin(who))


def end_sitting() -> None:
    here = sitting()
    if here is not None:
        desk().sittings.end(here.id)
    logout_user()
    session.clear()


def for_learners(view: View) -> View:
    """The view gets the sitting of the learner as its first argument."""

    @wraps(view)
    def guarded(*args: object, **kwargs: object) -> object:
        here = sitting()
        if here is None or here.is_operator:
            return _not_logged_in()
        return view(here, *args, **kwargs)

    return cast(View, guarded)


def for_operator(view: View) -> View:
    @wraps(view)
    def guarded(*args: object, **kwargs: object) -> object:
        if not is_operator():
            return redirect(url_for("operator.enter"))
        return view(*args, **kwargs)

    return cast(View, guarded)


def at_the_laptop_or_operator(view: View) -> View:
    """For everybody at the laptop's own browser; from a phone only for the operator."""

    @wraps(view)
    def guarded(*args: object, **kwargs: object) -> object:
        if not (at_the_laptop() or is_operator()):
            flash(_("Bagian ini dibuka di laptop desa sendiri, atau dengan kata sandi operator."), "warn")
            return redirect(url_for("operator.enter"))
        return view(*args, **kwargs)

    return cast(View, guarded)


def pin_holder(numbers: list[int]) -> int:
    """Under which of a person's numbers the PIN was set; the one that stands for the person if none has one.

    People whom the centre joined keep their PIN: otherwise anybody could choose the name and set a new one.
    """
    return next((number for number in numbers if desk().secrets.is_set(number)), numbers[0])


def reset_pin(numbers: list[int]) -> None:
    """Forget every PIN of a person, and end the sittings."""
    for number in numbers:
        desk().secrets.forget(number)
        desk().sittings.end_all_of(number)


def course_or_404(learner: int, pack: int) -> CourseState:
    return desk().node.learning.course(learner, pack) or abort(404)


def lesson_or_404(learner: int, pack: int, lesson: int) -> tuple[CourseState, LessonState]:
    course = course_or_404(learner, pack)
    return course, course.lesson(lesson) or abort(404)


def _not_logged_in() -> Response:
    if "_user_id" in session:
        session.clear()
        flash(
            _(
                "Anda dikeluarkan karena laptop lama tidak dipakai atau dinyalakan ulang. "
                "Yang sudah tersimpan tetap aman. Pilih nama Anda untuk melanjutkan."
            ),
            "warn",
        )
    return redirect(url_for("learner.choose"))

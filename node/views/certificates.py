"""My certificates, those of a learner for the operator, and the PDF of one."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from node import certificates
from node.certificates import Held
from node.desk import desk, for_learners, for_operator
from node.letterhead import imprint_of, now_here, village_line
from node.people import Learner
from node.sittings import Sitting
from sync.profile import Profile
from web import dates
from web.certificate_paper import CertificateText, drawn
from web.languages import gettext as _
from web.zones import ZONES

blueprint = Blueprint("certificates", __name__)


@blueprint.get("/sertifikat")
@for_learners
def mine(here: Sitting) -> ResponseReturnValue:
    return _list(_person_or_404(here.who), own=True)


@blueprint.get("/sertifikat/<int:pack>.pdf")
@for_learners
def my_paper(here: Sitting, pack: int) -> ResponseReturnValue:
    return _paper(_person_or_404(here.who), pack, url_for("certificates.mine"))


@blueprint.get("/operator/peserta/<int:number>/sertifikat")
@for_operator
def of_learner(number: int) -> ResponseReturnValue:
    return _list(_person_or_404(number), own=False)


@blueprint.get("/operator/peserta/<int:number>/sertifikat/<int:pack>.pdf")
@for_operator
def paper(number: int, pack: int) -> ResponseReturnValue:
    back = url_for("certificates.of_learner", number=number)
    return _paper(_person_or_404(number), pack, back)


def _person_or_404(number: int) -> Learner:
    return desk().node.learning.learner(number) or abort(404)


def _list(person: Learner, own: bool) -> str:
    held = certificates.of_person(desk().node, person.number)
    return render_template("certificates.html", person=person, held=held, own=own)


def _paper(person: Learner, pack: int, back: str) -> ResponseReturnValue:
    node = desk().node
    mine = certificates.of_person(node, person.number)
    held = next((one for one in mine if one.pack == pack), None) or abort(404)
    if held.withdrawn is not None:
        flash(_("Sertifikat ini sudah ditarik pusat, jadi tidak dapat dicetak."), "warn")
        return redirect(back)
    proof = certificates.code_of(node, person.number, held)
    if proof is None:
        flash(
            _("Nama pemilik sertifikat ini tidak ada di laptop ini, jadi tidak dapat dicetak di sini."),
            "warn",
        )
        return redirect(back)
    response = Response(_drawn(held, *proof), mimetype="application/pdf")
    name = f"sertifikat-{_plain(proof[1].name)}-{pack}.pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _drawn(held: Held, code: str, profile: Profile, day: str) -> bytes:
    heading, number, standing = _final_words(held) if held.number else _draft_words()
    village = village_line(desk().node)
    facts = [_("%(hours)s JP", hours=held.hours_jp)]
    if held.score is not None:
        facts.append(_("nilai tes akhir %(score)s", score=dates.score(held.score)))
    if day:
        facts.append(_("selesai %(day)s", day=dates.day(day)))
    text = CertificateText(
        heading=heading,
        number=number,
        given_to=_("diberikan kepada"),
        name=profile.name,
        who=f"{profile.position}, {village}" if profile.position else village,
        for_what=_("yang telah menyelesaikan pelatihan"),
        course=held.title,
        facts=" · ".join(facts),
        standing=standing,
        scan=_(
            "Kode verifikasi %(code)s. Untuk memeriksa keasliannya, pindai kotak ini lalu buka halaman Periksa sertifikat di laptop Lontar mana pun, tanpa internet, atau di pusat.",
            code=held.verification_code,
        ),
        code=code,
        is_final=bool(held.number),
    )
    return drawn(text, imprint_of(heading, village, now_here(desk().node)))


def _final_words(held: Held) -> tuple[str, str, str]:
    """The heading, the number and what is proven."""
    number = _(
        "Nomor %(number)s, dikonfirmasi pusat %(day)s",
        number=held.number,
        day=dates.day(_at(held.issued_ms or 0).date()),
    )
    return (
        _("Sertifikat"),
        number,
        _("Bersegel digital pusat. Bukti mengikuti dan menyelesaikan pelatihan."),
    )


def _draft_words() -> tuple[str, str, str]:
    return (
        _("Sertifikat sementara"),
        _("Menunggu verifikasi pusat"),
        _(
            "Bersegel digital laptop desa, belum dikonfirmasi pusat. Bukti sementara bahwa pelatihan diselesaikan."
        ),
    )


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, ZONES[current_app.config["ZONE"]])


def _plain(name: str) -> str:
    """A name for a file: letters without marks, dashes for the rest."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(sign if sign.isalnum() else " " for sign in letters).split()) or "peserta"

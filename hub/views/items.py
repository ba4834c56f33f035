"""Which questions go wrong: for each version of a course how hard its questions are, and what should be done about them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from content_packs.errors import PackError
from content_packs.manifest import Manifest, open_manifest
from content_packs.questions import Question, QuestionKind
from content_packs.store import InstalledPack
from hub import charts, kept, packs
from hub.charts import Chart, Value
from hub.items import EASY, FEW, HARD, POOR, Advice, Item, analysed
from hub.kept import DAY_MS, Kept
from hub.queries import items
from hub.queries.courses import COURSES_MOST
from hub.queries.items import Version
from hub.views.desk import hub, operator, seen
from hub.views.places import bytes_or_404
from sync.errors import N_
from web.languages import gettext as _

TEXT_MOST: Final = 200
"""Characters of a question or an answer that are shown."""

WORDS: Final = {
    Advice.FEW: (N_("Belum cukup jawaban"), N_("Tunggu sampai sedikitnya sepuluh orang menjawab.")),
    Advice.KEY: (
        N_("Kunci mungkin salah"),
        N_("Yang nilainya tinggi justru lebih sering salah di sini. Periksa kunci jawabannya lebih dulu."),
    ),
    Advice.HARD: (
        N_("Terlalu sulit"),
        N_("Periksa apakah materinya mengajarkan hal ini, dan apakah soalnya jelas."),
    ),
    Advice.POOR: (
        N_("Tidak membedakan"),
        N_("Yang paham dan yang belum paham menjawab hampir sama. Perjelas soal atau pilihannya."),
    ),
    Advice.EASY: (N_("Terlalu mudah"), N_("Hampir semua benar. Boleh tetap, atau ganti dengan yang lebih dalam.")),
    Advice.GOOD: (N_("Baik"), ""),
}  # fmt: skip

blueprint = Blueprint("items", __name__, url_prefix="/soal")


@dataclass(frozen=True, slots=True)
class Line:
    """A question as it is shown; `text` is empty if the pack isn't kept here."""

    item: Item
    text: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Section:
    """A lesson with its questions; `pack` is where it can be read."""

    number: int
    title: str
    pack: str
    lines: tuple[Line, ...]
    chart: Chart


@blueprint.get("")
def listed() -> ResponseReturnValue:
    with seen() as connection:
        found = items.versions(connection, COURSES_MOST)
    courses: dict[bytes, list[Version]] = {}
    for version in found:
        courses.setdefault(version.course_key, []).append(version)
    titled = sorted(courses.values(), key=lambda many: (_title(many) or "~", many[0].course_key))
    return render_template("items.html", courses=[(_title(many), many) for many in titled])


@blueprint.get("/<key>")
def course(key: str) -> ResponseReturnValue:
    course_key, now_ms, scope = bytes_or_404(key), hub().intake.now_ms(), operator().standing.scope
    with seen() as connection:
        known = items.versions(connection, COURSES_MOST, course_key)
        numbers = sorted({version.number for version in known}, reverse=True)
        asked = request.args.get("versi", numbers[0] if numbers else 0, int)
        chosen = [version for version in known if version.number == asked]
        if not chosen:
            abort(404)
        subject = f"soal/{course_key.hex()}/{asked}"
        found = kept.find(connection, subject, scope, now_ms - DAY_MS)
        result = (
            None if found else _worked_out(items.read(connection, [version.pack for version in chosen]))
        )
    found = found or kept.keep(hub().engine, subject, scope, result, now_ms)
    return _page(known, numbers, chosen, found)


def _page(known: list[Version], numbers: list[int], chosen: list[Version], found: Kept) -> str:
    lines = [Item(**one) for one in found.result["items"]]
    return render_template(
        "course_items.html",
        key=chosen[0].course_key.hex(),
        title=_title(known),
        versions=numbers,
        version=chosen[0].number,
        result=found.result,
        made_ms=found.made_ms,
        sections=_sections(chosen, lines),
        counts={advice: sum(one.advice is advice for one in lines) for advice in Advice},
        words=WORDS,
        Advice=Advice,
        limits={"few": FEW, "hard": HARD, "easy": EASY, "poor": POOR},
    )


def _worked_out(read: items.Read) -> dict[str, Any]:
    people = {person for person, _lesson, _question in read.firsts.answers}
    lines = [asdict(one) for one in analysed(read.firsts)]
    return {"people": len(people), "logs": read.logs, "of": read.of, "items": lines}


def _title(many: list[Version]) -> str:
    """That of the newest version whose pack is known."""
    return next((version.title for version in many if version.title), "")


def _sections(chosen: list[Version], lines: list[Item]) -> list[Section]:
    manifest = next((open_manifest(one.manifest) for one in chosen if one.manifest), None)
    store = packs.store_of(hub().config)
    pack = next((found for one in chosen if (found := store.get(one.manifest_hash)) is not None), None)
    by_lesson: dict[int, list[Item]] = {}
    for item in lines:
        by_lesson.setdefault(item.lesson, []).append(item)
    return [_section(manifest, pack, number, many) for number, many in sorted(by_lesson.items())]


def _section(
    manifest: Manifest | None, pack: InstalledPack | None, number: int, many: list[Item]
) -> Section:
    lesson = None if manifest is None else manifest.lesson(number)
    title = lesson.title if lesson else _("Materi %(number)s", number=number)
    asked = {question.number: question for question in _questions(pack, number)}
    lines = []
    for item in many:
        question = asked.get(item.question)
        text = _plain(question.text) if question else ""
        lines.append(Line(item, text, _answer(question, item.wrong)))
    values = [
        Value(
            _("Soal %(number)s", number=item.question),
            item.difficulty,
            f"{round(item.difficulty * 100)} %",
        )
        for item in many
    ]
    head = (_("Soal"), _("Benar pada jawaban pertama"))
    about = _("Dari seratus orang yang menjawab, berapa yang benar pada jawaban pertamanya.")
    chart = charts.bars(_("Benar pada jawaban pertama"), about, head, values)
    return Section(number, title, pack.manifest_hash.hex() if pack and lesson else "", tuple(lines), chart)


def _questions(pack: InstalledPack | None, number: int) -> tuple[Question, ...]:
    if pack is None or pack.manifest.lesson(number) is None:
        return ()
    try:
        return pack.lesson(number).questions
    except PackError:
        # A piece on the disk is damaged; the figures are shown without words.
        return ()


def _answer(question: Question | None, given: str) -> str:
    """A wrong answer in words: what was chosen, or what was typed."""
    if question is not None and question.kind in (QuestionKind.TEXT, QuestionKind.NUMBER):
        return given
    places = [int(place) for place in given.split(",") if place.isascii() and place.isdigit()]
    if not places:
        return given
    if question is not None and len(places) == 1 and places[0] < len(question.choices):
        return f"{_letter(places[0])}. {_plain(question.choices[places[0]])}"
    return ", ".join(map(_letter, places))


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else str(place + 1)


def _plain(html: str) -> str:
    text = Markup(html).striptags()  # noqa: S704 - it becomes plain text
    return text if len(text) <= TEXT_MOST else f"{text[: TEXT_MOST - 1]}…"

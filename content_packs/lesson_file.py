"""A lesson as it lies in a pack: its page and its questions, as safe HTML in CBOR. Written by `build`, read by `store`.

    lesson file = [1, html, [question …]]
    question    = [id, html, [html of a choice …], right, html of the explanation, kind, [html of a target …], [accepted …]]

`right` is the place of the right choice where only one can be, else a list of places; what follows the explanation is left
out where one choice of several is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from content_packs import limits, render
from content_packs.errors import PackError
from content_packs.outline import PATH
from content_packs.packing import MEDIA, PICTURES, media_type
from content_packs.questions import Question, QuestionKind, is_consistent
from content_packs.source import SourceLesson
from content_packs.source_questions import SourceQuestion
from sync import cbor
from sync.errors import N_

FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class LessonContent:
    """A lesson to be shown. `html` names pictures as `media:NAME` (see `render.with_addresses`)."""

    html: str
    questions: tuple[Question, ...]


def lesson_file(source: SourceLesson) -> tuple[bytes, set[str]]:
    """A lesson's file, and the names of the pictures, videos and documents that it shows.

    Raises:
        PackError: one of them isn't there, or has no alternative text.
    """
    html = render.clean(source.reading) if source.is_html else render.to_html(source.reading)
    questions = [_written(question) for question in source.questions]
    return cbor.encode([FORMAT, html, questions]), _shown(source, html)


def read_lesson_file(data: bytes) -> LessonContent:
    """
    Raises:
        PackError: it isn't one.
    """
    match cbor.decode(data, limits.PIECE):
        case [1, str() as html, list() as questions]:
            read = tuple(_question(number, item) for number, item in enumerate(questions, start=1))
            return LessonContent(render.clean(html), read)
    raise _damaged()


def _written(question: SourceQuestion) -> list[Any]:
    written = render.clean if question.is_html else render.inline
    one = question.right[0] if question.kind is QuestionKind.CHOICE else list(question.right)
    made: list[Any] = [
        question.id,
        written(question.text),
        [written(choice) for choice in question.choices],
        one,
        written(question.explanation),
    ]
    if question.kind is not QuestionKind.CHOICE:
        targets = [written(target) for target in question.targets]
        made += [int(question.kind), targets, list(question.accepted)]
    return made


def _question(number: int, item: Any) -> Question:
    match item:
        case [
            str() as id_,
            str() as text,
            list() as choices,
            int() | list() as right,
            str() as explanation,
            *more,
        ]:
            kind, targets, accepted = [*more, *(0, [], [])[len(more) :]][:3]
            texts = [choices, targets, accepted]
            places = [right] if isinstance(right, int) else right
            if (
                all(
                    isinstance(list_, list) and all(isinstance(one, str) for one in list_)
                    for list_ in texts
                )
                and all(type(place) is int for place in places)
                and kind in list(QuestionKind)
            ):
                question = Question(
                    number,
                    id_,
                    render.clean(text),
                    tuple(map(render.clean, choices)),
                    tuple(places),
                    render.clean(explanation),
                    QuestionKind(kind),
                    tuple(map(render.clean, targets)),
                    tuple(accepted),
                )
                if is_consistent(question):
                    return question
    raise _damaged()


def _shown(source: SourceLesson, html: str) -> set[str]:
    """The files of the course folder that a lesson shows."""
    file = source.path.name
    if source.is_html:
        names = {name for name, _ in render.media_in(html)}
        for question in source.questions:
            for text in (question.text, *question.choices, *question.targets, question.explanation):
                names |= {name for name, _ in render.media_in(render.clean(text))}
    else:
        names = _pictures_of_markdown(source)
    for name in sorted(names):
        path = source.path.parent / name
        if not PATH.fullmatch(name) or not path.is_file():
            raise PackError(
                N_(
                    "%(file)s: gambar %(name)s tidak ada. Taruh di folder pelatihan, dengan nama dari huruf kecil, angka, titik dan tanda hubung."
                ),
                file=file,
                name=name,
            )
        if media_type(path, MEDIA) is None:
            raise PackError(
                N_("%(file)s: %(name)s harus gambar (%(pictures)s), video, suara atau PDF."),
                file=file,
                name=name,
                pictures=", ".join(PICTURES),
            )
        companions = (".vtt", *render.POSTERS) if name.endswith(render.VIDEO) else (".vtt",)
        names = names | {
            path.with_suffix(one).name for one in companions if path.with_suffix(one).is_file()
        }
    return names


def _pictures_of_markdown(source: SourceLesson) -> set[str]:
    found = render.pictures(source.reading)
    for name, alternative in found:
        if not alternative:
            raise PackError(
                N_("%(file)s: gambar %(name)s harus punya teks pengganti."),
                file=source.path.name,
                name=name,
            )
    for question in source.questions:
        for text in (question.text, *question.choices, *question.targets, question.explanation):
            if render.pictures(text):
                raise PackError(
                    N_("%(file)s: gambar dalam soal [%(id)s] harus dipindahkan ke bacaan."),
                    file=source.path.name,
                    id=question.id,
                )
    return {name for name, _ in found}


def _damaged() -> PackError:
    return PackError(N_("Materi ini rusak. Pasang lagi paketnya."))

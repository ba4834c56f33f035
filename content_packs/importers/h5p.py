"""H5P packages: plain questions become ours, which need no player; everything else is kept whole for the player.

Source: H5P specification (h5p.org/documentation/developers/h5p-specification) and the semantics of H5P.MultiChoice 1.16,
H5P.TrueFalse 1.8, H5P.SingleChoiceSet 1.11, H5P.Blanks 1.14 and H5P.QuestionSet 1.20.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, Final

from content_packs.errors import PackError
from content_packs.importers import asked
from content_packs.importers.archive import Archive, open_archive, safe_path
from content_packs.importers.asked import Answer, Head
from content_packs.importers.bank import in_lessons, title_of
from content_packs.importers.draft import Draft, DraftActivity, DraftLesson, DraftQuestion
from content_packs.importers.media_files import Media, SourceFile, kept
from content_packs.importers.relink import relinked
from content_packs.importers.tally import Tally
from content_packs.importers.texts import plain_of, wrapped
from content_packs.importers.words import words_of
from sync.errors import N_

PLAYER: Final = "h5p"
NAME: Final = "h5p.json"
CONTENT: Final = "content/content.json"
JSON_MOST: Final = 16 * 1024 * 1024
QUESTIONS_MOST: Final = 1000

_TITLE_MOST: Final = 200
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?![a-z])")
_SAID: Final = ("tip", "notChosenFeedback", "feedback")
"""What questions say beside their text and the remarks on what was chosen; `feedback` is that on a whole result."""
_TIPS: Final = N_("Petunjuk dan tanggapan akhir H5P yang tidak dibawa: %(count)s.")
_BLANK: Final = re.compile(r"\*([^*]{1,500})\*")


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it isn't an H5P package, or is damaged.
    """
    tally = Tally()
    with open_archive(path) as archive:
        about, content = _json(archive, NAME), _json(archive, CONTENT)
        main = about.get("mainLibrary")
        if not isinstance(main, str):
            raise PackError(N_("%(file)s bukan paket H5P."), file=path.name)
        title = _text(about.get("title"))[:_TITLE_MOST] or title_of(path)
        said = _LANGUAGE.match(_text(about.get("language")).lower())
        language = said[0] if said and said[0] != "und" else "id"
        media = Media(tally)
        questions = _Questions(archive, media, language, tally).all_of(main, content)
        if questions:
            lessons = _as_questions(title, questions, content, tally)
        else:
            tally = Tally()  # what was said of questions doesn't hold
            lessons = [_as_activity(archive, title, main, about, tally)]
        used = kept(media.used_in(lessons))
        for lesson in lessons:
            if lesson.activity is not None:
                lesson.activity.files.update(kept(lesson.activity.files))
    draft = Draft(title, lessons, used, language=language, report=tally.report())
    grade = content.get("passPercentage") if questions else None
    if type(grade) is int and 0 <= grade <= 100:
        draft.passing_grade = grade
    return draft


def recognises(path: Path) -> bool:
    try:
        with open_archive(path) as archive:
            return NAME in archive and CONTENT in archive
    except (PackError, OSError):
        return False


class _NotPlainError(Exception):
    """Something that only the player can show."""


def _as_questions(
    title: str, questions: list[DraftQuestion], content: dict[str, Any], tally: Tally
) -> list[DraftLesson]:
    tally.change(
        N_("Soal H5P yang menjadi soal biasa dan tidak memerlukan pemutar: %(count)s."), len(questions)
    )
    said = [value for name, value in _values(content) if name in _SAID and plain_of(_text(value))]
    tally.leave_out(_TIPS, len(said))
    pools = [value for name, value in _values(content) if name == "poolSize" and value]
    tally.leave_out(
        N_("Pilihan acak dari soal-soal H5P; di sini semuanya ditanyakan: %(count)s."), len(pools)
    )
    page = content.get("introPage")
    intro = page if isinstance(page, dict) and page.get("showIntroPage") else {}
    html = relinked(_text(intro.get("introduction")), lambda _address: None, Media(tally), tally)
    return in_lessons(title, wrapped(html), questions)


def _values(content: object) -> Iterator[tuple[str, Any]]:
    """All that has a name in a content, however deep."""
    waiting = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from one.items()
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _as_activity(
    archive: Archive, title: str, main: str, about: dict[str, Any], tally: Tally
) -> DraftLesson:
    files = {name: archive.reader(name) for name in archive.names()}
    needed = {
        f"{one.get('machineName')}-{one.get('majorVersion')}.{one.get('minorVersion')}/library.json"
        for one in _list(about.get("preloadedDependencies"))
        if isinstance(one, dict)
    }
    missing = sorted(name.partition("/")[0] for name in needed - set(files))
    if missing:
        raise PackError(
            N_("%(file)s tidak membawa pustakanya (%(name)s). Ekspor lagi beserta pustaka H5P."),
            file=archive.name,
            name=", ".join(missing)[:200],
        )
    tally.take(N_("Bahan H5P jenis %(kind)s, yang memerlukan pemutar: %(count)s."), kind=main[:60])
    return DraftLesson(title, activity=DraftActivity(PLAYER, NAME, files))


class _Asked:
    """A question as the package tells it, made only once all of them are known to be plain."""

    def __init__(
        self, kind: str, head: Head, answers: list[Answer], is_single: bool, is_case_told: bool = False
    ) -> None:
        self.kind, self.head, self.answers, self.is_single = kind, head, answers, is_single
        self.is_case_told = is_case_told

    def question(self, tally: Tally) -> DraftQuestion | None:
        if self.kind == "blank":
            return asked.typed(self.head, self.answers, tally, self.is_case_told)
        return asked.choice(self.head, self.answers, self.is_single, tally)


class _Questions:
    def __init__(self, archive: Archive, media: Media, language: str, tally: Tally) -> None:
        self._archive = archive
        self._media = media
        self._language = language
        self._tally = tally

    def all_of(self, library: str, params: dict[str, Any]) -> list[DraftQuestion]:
        """All questions of a content; none if it has a part that isn't a plain question."""
        try:
            asked_ = list(self._of(library.partition(" ")[0], params))
        except _NotPlainError:
            return []
        made = [question for one in asked_ if (question := one.question(self._tally)) is not None]
        return made if len(made) == len(asked_) <= QUESTIONS_MOST else []

    def _of(self, library: str, params: dict[str, Any]) -> Iterator[_Asked]:
        match library:
            case "H5P.MultiChoice":
                yield self._choice(params)
            case "H5P.TrueFalse":
                yield self._truth(params)
            case "H5P.SingleChoiceSet":
                for one in _list(params.get("choices")):
                    answers = _list(one.get("answers")) if isinstance(one, dict) else []
                    texts = [Answer(self._html(text), float(not at)) for at, text in enumerate(answers)]
                    yield _Asked(
                        "choice",
                        self._head(one.get("question") if isinstance(one, dict) else ""),
                        texts,
                        True,
                    )
            case "H5P.Blanks":
                yield from self._blanks(params)
            case "H5P.QuestionSet":
                for one in _list(params.get("questions")):
                    if not isinstance(one, dict) or not isinstance(one.get("params"), dict):
                        raise _NotPlainError
                    inner = _text(one.get("library")).partition(" ")[0]
                    if inner == library:
                        raise _NotPlainError
                    yield from self._of(inner, one["params"])
            case _:
                raise _NotPlainError

    def _choice(self, params: dict[str, Any]) -> _Asked:
        answers = []
        for one in _list(params.get("answers")):
            if not isinstance(one, dict):
                raise _NotPlainError
            right = bool(one.get("correct"))
            feedback = one.get("tipsAndFeedback")
            remarks = feedback if isinstance(feedback, dict) else {}
            remark = self._remark(remarks.get("chosenFeedback"))
            answers.append(Answer(self._html(one.get("text")), float(right), remark))
        behaviour = params.get("behaviour")
        kind = _text(behaviour.get("type")) if isinstance(behaviour, dict) else ""
        is_one = sum(answer.fraction > 0 for answer in answers) == 1
        head = self._head(params.get("question"), self._picture(params.get("media")))
        return _Asked("choice", head, answers, kind == "single" or (kind != "multi" and is_one))

    def _truth(self, params: dict[str, Any]) -> _Asked:
        words, is_true = words_of(self._language), _text(params.get("correct")) == "true"
        behaviour = params.get("behaviour")
        said = behaviour if isinstance(behaviour, dict) else {}
        right, wrong = (
            self._remark(said.get("feedbackOnCorrect")),
            self._remark(said.get("feedbackOnWrong")),
        )
        answers = [
            Answer(words.true, float(is_true), right if is_true else wrong),
            Answer(words.false, float(not is_true), wrong if is_true else right),
        ]
        head = self._head(params.get("question"), self._picture(params.get("media")))
        return _Asked("choice", head, answers, True)

    def _blanks(self, params: dict[str, Any]) -> Iterator[_Asked]:
        """A line with one blank is a question; one with several isn't plain."""
        behaviour = params.get("behaviour")
        is_case_told = not isinstance(behaviour, dict) or behaviour.get("caseSensitive") is not False
        task = self._picture(params.get("media")) + self._html(params.get("text"))
        for line in _list(params.get("questions")):
            said = _text(line)
            found = _BLANK.findall(said)
            if len(found) != 1 or said.count("*") != 2:
                raise _NotPlainError
            solution, _, tip = found[0].partition(":")
            self._tally.leave_out(_TIPS, bool(tip.strip()))
            accepted = solution.split("/")
            answers = [Answer(plain_of(text), 1.0) for text in accepted]
            head = self._head(_BLANK.sub("_____", said), task)
            yield _Asked("blank", head, answers, True, is_case_told)

    def _picture(self, media: object) -> str:
        """What stands above a question: a picture can come along, a film needs the player."""
        inner = media.get("type", media) if isinstance(media, dict) else None
        if not isinstance(inner, dict) or not inner.get("params"):
            return ""
        params = inner["params"]
        file = params.get("file") if isinstance(params, dict) else None
        if not isinstance(params, dict) or params.get("sources") or params.get("files"):
            raise _NotPlainError
        if not isinstance(file, dict):
            return ""
        path = safe_path(posixpath.join("content", _text(file.get("path")))) or ""
        if not _text(inner.get("library")).startswith("H5P.Image ") or path not in self._archive:
            raise _NotPlainError
        name = self._media.add(SourceFile(path, path, self._archive.reader(path), _text(file.get("mime"))))
        return f'<p><img src="media:{name}" alt="{escape(_text(params.get("alt")))}"></p>' if name else ""

    def _head(self, text: object, picture: str = "") -> Head:
        return Head(picture + self._html(text), language=self._language)

    def _html(self, text: object) -> str:
        return relinked(_text(text), lambda _address: None, self._media, self._tally)

    def _remark(self, text: object) -> str:
        return self._html(text) if plain_of(_text(text)) else ""


def _json(archive: Archive, name: str) -> dict[str, Any]:
    if name in archive and archive.size(name) > JSON_MOST:
        raise PackError(N_("%(file)s terlalu besar."), file=f"{archive.name}/{name}")
    try:
        read = json.loads(archive.read(name))
    except (ValueError, RecursionError) as problem:
        raise PackError(
            N_("%(file)s: berkas %(name)s bukan JSON yang utuh."), file=archive.name, name=name
        ) from problem
    if not isinstance(read, dict):
        raise PackError(N_("%(file)s bukan paket H5P."), file=archive.name)
    return read


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []

"""Question banks in Moodle XML, with the pictures that stand in them; categories become lessons, descriptions are read.

Source: docs.moodle.org/en/Moodle_XML_format.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from content_packs.errors import PackError
from content_packs.importers import moodle_questions
from content_packs.importers.archive import XML_MOST, read_xml
from content_packs.importers.asked import Answer, Head
from content_packs.importers.bank import Bank, start_of, title_of
from content_packs.importers.draft import Draft
from content_packs.importers.media_files import Media, SourceFile, decoded
from content_packs.importers.moodle_questions import (
    DESCRIPTION,
    FORMATS,
    REMARKS,
    Told,
    fraction_of,
    is_known,
    is_yes,
    own_name,
    said,
)
from content_packs.importers.relink import relinked
from content_packs.importers.tally import Tally
from content_packs.importers.texts import Format, html_of
from sync.errors import N_

_ROOT: Final = re.compile(r"<quiz[\s>]")


def read(path: Path) -> Draft:
    """
    Raises:
        PackError: it isn't Moodle XML, or holds no question.
    """
    try:
        if path.stat().st_size > XML_MOST:
            raise PackError(N_("%(file)s terlalu besar."), file=path.name)
        content = path.read_bytes()
    except OSError as problem:
        raise PackError(N_("%(file)s tidak dapat dibaca."), file=path.name) from problem
    root = read_xml(content, path.name)
    tally = Tally()
    bank = Bank(title_of(path))
    media = Media(tally)
    if root.tag == "quiz":
        for element in root.findall("question"):
            _read_question(element, bank, media, tally)
    if not bank.questions():
        raise PackError(N_("%(file)s tidak berisi soal Moodle XML yang dapat dibawa."), file=path.name)
    lessons = bank.lessons()
    return Draft(title_of(path), lessons, media.used_in(lessons), report=tally.report())


def recognises(path: Path) -> bool:
    return _ROOT.search(start_of(path)) is not None


def _read_question(element: Any, bank: Bank, media: Media, tally: Tally) -> None:
    kind = element.get("type", "")
    if kind == "category":
        bank.open_category(said(element, "category/text") or said(element, "category"))
        return
    name = said(element, "name/text") or said(element, "name")
    if kind != DESCRIPTION and not is_known(kind, name, tally):
        return
    texts = _Texts(element, media, tally)
    head = Head(
        texts.html(element.find("questiontext")) + texts.old_picture(),
        name,
        texts.html(element.find("generalfeedback")),
        said(element, "idnumber"),
    )
    if kind == DESCRIPTION:
        tally.take(N_("Teks tanpa jawaban, yang menjadi bacaan: %(count)s."))
        bank.add_text(head.text)
        return
    is_typed = kind in ("shortanswer", "numerical")
    told = Told(
        kind,
        head,
        _answers(element, texts, is_typed),
        tuple((texts.html(one), texts.html(one.find("answer"))) for one in element.findall("subquestion")),
        is_single=is_yes(said(element, "single") or "true"),
        is_case_told=is_yes(said(element, "usecase")),
        unit=said(element, "units/unit/unit_name"),
        mark=fraction_of(said(element, "defaultgrade") or "1"),
        remarks=sum(bool(said(element, f"{name}/text")) for name in REMARKS),
        hints=len(element.findall("hint")),
    )
    bank.add(moodle_questions.made(_in_order(told, element), tally))


def _answers(element: Any, texts: _Texts, is_typed: bool) -> tuple[Answer, ...]:
    return tuple(
        Answer(
            said(one, "text") or said(one) if is_typed else texts.html(one),
            fraction_of(one.get("fraction") or said(one, "fraction"), 100),
            texts.html(one.find("feedback")),
            said(one, "tolerance") or "0",
        )
        for one in element.findall("answer")
    )


def _in_order(told: Told, element: Any) -> Told:
    """The same, with the answer `true` first; old files have it first, in whatever language it is."""
    names = [said(one, "text").lower() for one in element.findall("answer")]
    if told.kind == "truefalse" and names == ["false", "true"]:
        return Told(told.kind, told.head, told.answers[::-1], mark=told.mark, hints=told.hints)
    return told


class _Texts:
    """Makes HTML of the texts of one question."""

    def __init__(self, element: Any, media: Media, tally: Tally) -> None:
        self._element = element
        self._media = media
        self._tally = tally
        self._form = _form(element.find("questiontext"), Format.HTML)

    def html(self, element: Any) -> str:
        """HTML of a text with the files that lie beside it."""
        if element is None:
            return ""
        files = {
            f"{one.get('path', '/').strip('/')}/{one.get('name', '')}".lstrip("/"): said(one)
            for one in element.findall("file")
        }

        @cache
        def file(name: str) -> SourceFile:
            return _file(name, files.get(name, ""))

        def find(address: str) -> SourceFile | None:
            name = own_name(address)
            return file(name) if name else None

        # Only targets of matching don't say how they are written: they are plain there.
        form = self._form if element.tag != "answer" else Format.AUTO
        text = html_of(said(element, "text"), _form(element, form))
        return relinked(text, find, self._media, self._tally)

    def old_picture(self) -> str:
        """The picture beside a question, as files before Moodle 2 have it."""
        name, content = said(self._element, "image"), said(self._element, "image_base64")
        shown = self._media.add(_file(name, content)) if name and content else ""
        return f'<p><img src="media:{shown}" alt=""></p>' if shown else ""


def _file(name: str, content: str) -> SourceFile:
    held = decoded(content)
    return SourceFile(name, sha256(held).digest() if held else name, (lambda: held) if held else None)


def _form(element: Any, otherwise: Format) -> Format:
    return FORMATS.get("" if element is None else element.get("format", ""), otherwise)

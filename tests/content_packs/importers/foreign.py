"""What holds for every draft, whatever it was made of, and ways to damage what it is made of."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from content_packs.build import BuiltPack, build_pack
from content_packs.importers.draft import Draft, DraftQuestion
from content_packs.importers.folder import write_folder
from content_packs.outline import PATH
from content_packs.questions import Question, is_consistent, is_right, read_answer
from sync.keys import SigningKey

KEY: Final = SigningKey.from_seed(b"publisher".ljust(32, b"."))
SAMPLES: Final = Path("/work/shared/data/course-samples")
_SHOWN: Final = re.compile(r'src="media:([^"]*)"')


def asked(question: DraftQuestion) -> Question:
    return Question(
        1,
        question.id or "a",
        question.text,
        question.choices,
        question.right,
        question.explanation,
        question.kind,
        question.targets,
        question.accepted,
    )


def check(draft: Draft) -> Draft:
    """The draft, if it keeps what every importer promises."""
    shown: set[str] = set()
    for lesson in draft.lessons:
        assert lesson.title.strip()
        assert lesson.role == "lesson" or lesson.questions
        shown |= set(_SHOWN.findall(lesson.html))
        for draft_question in lesson.questions:
            question = asked(draft_question)
            assert is_consistent(question)
            answer = read_answer(question, question.right_answer)
            assert answer is not None
            assert is_right(question, answer)
            for text in (question.text, question.explanation, *question.choices, *question.targets):
                shown |= set(_SHOWN.findall(text))
    subtitles = {name for name in draft.media if name.endswith(".vtt")}
    assert all(PATH.fullmatch(name) for name in draft.media)
    assert set(draft.media) - subtitles == shown
    report = draft.report
    assert all(
        sentence.strip() and "%(" not in sentence
        for sentence in (*report.taken, *report.changed, *report.left_out)
    )
    return draft


def build(draft: Draft, folder: Path) -> BuiltPack:
    """The pack that an author gets who changes nothing."""
    write_folder(check(draft), folder)
    return build_pack(folder, KEY)


def questions(draft: Draft) -> list[DraftQuestion]:
    return [question for lesson in draft.lessons for question in lesson.questions]


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """A good file in which bytes were flipped, cut out, doubled or written over."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, max(0, len(data) - 1)))
        end = min(len(data), start + draw(st.integers(1, 60)))
        match draw(st.integers(0, 3)):
            case 0 if data:
                data[start] ^= draw(st.integers(1, 255))
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = data[start:end] * draw(st.integers(1, 3))
            case _:
                data[start:end] = draw(st.binary(max_size=30))
    return bytes(data)

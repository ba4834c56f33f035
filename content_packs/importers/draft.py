"""What an importer makes of foreign material: a draft of a course, and a report of what was taken, changed and left out.

A draft becomes a course folder (`folder.write_folder`), which its author can still change, and that a pack. Texts are HTML
as the source had it: they are cleaned when the folder is built and again when they are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from content_packs.questions import QuestionKind


@dataclass(frozen=True, slots=True)
class DraftQuestion:
    """As `questions.Question`, with an id that may be empty: then one is made from its place."""

    text: str
    kind: QuestionKind = QuestionKind.CHOICE
    choices: tuple[str, ...] = ()
    right: tuple[int, ...] = ()
    targets: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    explanation: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class DraftActivity:
    """Material that needs a player: `player` is `scorm`, `cmi5` or `h5p`, `entry` the path where it starts.

    `files` are its files by their path in the activity (with `/`, without `..`), each as something that gives its bytes.
    """

    player: str
    entry: str
    files: dict[str, Callable[[], bytes]]


@dataclass(slots=True)
class DraftLesson:
    """A reading, a test, both, or an activity. Pictures, videos, sound and documents are `media:NAME` in its HTML:

    `<img src="media:alur.png" alt="…">`, also for `clip.mp4`, `suara.mp3`, `naskah.pdf`; subtitles are `clip.vtt`.
    `id` may be empty: then it is made from the title. `module` is the title of the part of the course it belongs to.
    """

    title: str
    html: str = ""
    questions: list[DraftQuestion] = field(default_factory=list)
    role: str = "lesson"
    minutes: int = 0
    id: str = ""
    module: str = ""
    activity: DraftActivity | None = None


@dataclass(slots=True)
class Report:
    """What became of the source, in sentences for its author (already translated: see `say`)."""

    taken: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """A course that isn't built yet. `media` are its files by name (see `outline.PATH`), each as something that gives bytes."""

    title: str
    lessons: list[DraftLesson] = field(default_factory=list)
    media: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    id: str = ""
    summary: str = ""
    language: str = "id"
    publisher: str = ""
    passing_grade: int = 70
    attempts: int = 3
    report: Report = field(default_factory=Report)


Importer = Callable[[Path], Draft]
"""Reads one file or folder. Raises PackError with one sentence where it can't be read at all."""

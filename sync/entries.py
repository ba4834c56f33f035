"""What can be recorded: one class per kind, with its number, its fields and what it adds up to.

An entry is `(seq, kind, t, fields)`; the classes here give the fields names and types. Fields are only
ever appended to a kind, with a default: a reader ignores trailing fields that it doesn't know and fills
in missing ones. Adding a kind means adding a class here, a line in docs/protocol.md and a vector.

The two low bits of a kind's number say how many of its leading fields are references, in the order
learner, pack, lesson. So a reader can take the columns of a kind apart that it has never heard of.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self, get_type_hints

from sync import limits
from sync.errors import N_, MalformedError
from sync.progress.rows import COURSE_PROGRESS, LESSON_PROGRESS, Adds

Field = int | bool | bytes | str

INT_MIN: Final = -(1 << 63)
INT_MAX: Final = (1 << 63) - 1
REFERENCE_MAX: Final = (1 << 31) - 1
KIND_MAX: Final = (1 << 31) - 1
REFERENCES: Final = ("learner", "pack", "lesson")


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded fact. `t` is the log clock in milliseconds; it never decreases within a log."""

    seq: int
    kind: int
    t: int
    fields: tuple[Field, ...]


def reference_count(kind: int) -> int:
    return kind & 3


class Kind:
    """The base of every kind: a frozen dataclass whose fields are the entry's fields, in order."""

    number: ClassVar[int]
    adds: ClassVar[tuple[Adds, ...]] = ()

    def fields(self) -> tuple[Field, ...]:
        """The fields as plain values: an IntEnum becomes the int that it is."""
        return tuple(type_(getattr(self, name)) for name, type_ in field_types(type(self)).items())

    @classmethod
    def from_fields(cls, fields: tuple[Field, ...]) -> Self:
        """Read the fields of an entry of this kind.

        Raises:
            MalformedError: a field is missing or has another type.
        """
        types = field_types(cls)
        known = fields[: len(types)]
        for value, expected in zip(known, types.values(), strict=False):
            if type(value) is not expected:
                raise MalformedError(N_("Catatan ini berisi isian yang salah jenis."))
        try:
            return cls(*known)
        except TypeError as problem:
            raise MalformedError(N_("Catatan ini kekurangan isian.")) from problem


_FIELD_TYPES: Final[dict[type[Kind], dict[str, type]]] = {}


def field_types(kind: type[Kind]) -> dict[str, type]:
    """The names and types of a kind's fields, in order."""
    if kind not in _FIELD_TYPES:
        hints = get_type_hints(kind)
        _FIELD_TYPES[kind] = {
            field.name: hints[field.name]
            for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        }
    return _FIELD_TYPES[kind]


@dataclass(frozen=True, slots=True)
class LogOpened(Kind):
    """The first entry of every log: whose it is. The nonce keeps the logs of cloned disks apart."""

    number: ClassVar[int] = 0
    format: int
    public_key: bytes
    sealing_key: bytes
    nonce: bytes
    reason: int
    predecessors: bytes
    """Heads of earlier logs of this device, 36 bytes each: log id 16, index 4 (big-endian), segment id 16."""


class OpenReason(IntEnum):
    """Why a log was opened, as `log_opened` says it."""

    FIRST = 0
    RESTORED = 1
    MOVED = 2
    FORKED = 3
    REPLACED = 4


@dataclass(frozen=True, slots=True)
class ClockObserved(Kind):
    """What the wall clock said at this log time. `source`: 0 start, 1 jump, 2 imported activity."""

    number: ClassVar[int] = 4
    boot: int
    wall_ms: int
    source: int


@dataclass(frozen=True, slots=True)
class AnchorNoted(Kind):
    """A receipt arrived: nobody could have known its hash before `hub_s` (seconds since 1970)."""

    number: ClassVar[int] = 8
    receipt_hash: bytes
    hub_s: int


@dataclass(frozen=True, slots=True)
class PackInstalled(Kind):
    """The next pack number of this log now means this version of this course."""

    number: ClassVar[int] = 12
    course_key: bytes
    manifest_hash: bytes
    version: int


@dataclass(frozen=True, slots=True)
class LearnerAdded(Kind):
    """The next learner number of this log now means the person of this profile commitment."""

    number: ClassVar[int] = 16
    commitment: bytes


@dataclass(frozen=True, slots=True)
class OperatorActed(Kind):
    """The village operator did something to `subject` (a learner's number or 0): see `node`."""

    number: ClassVar[int] = 20
    action: int
    subject: int


@dataclass(frozen=True, slots=True)
class LearnerContinued(Kind):
    """The next learner number of this log now means somebody whom another log introduced.

    `learner` is that person's identity there (see `profile.learner_id`): in an earlier log of this device,
    after its disk was restored or copied, or in the log of another device of the village.
    """

    number: ClassVar[int] = 24
    learner: bytes


@dataclass(frozen=True, slots=True)
class BundleWritten(Kind):
    """A bundle with this log's segments from `since` on was put on a stick, or on several."""

    number: ClassVar[int] = 28
    bundle: bytes
    since: int


@dataclass(frozen=True, slots=True)
class ProfileChanged(Kind):
    number: ClassVar[int] = 1
    learner: int
    commitment: bytes


@dataclass(frozen=True, slots=True)
class LearnerLeft(Kind):
    """This person no longer learns on this device (0), or does again (1)."""

    number: ClassVar[int] = 5
    learner: int
    returned: int


@dataclass(frozen=True, slots=True)
class LessonOpened(Kind):
    number: ClassVar[int] = 3
    adds: ClassVar[tuple[Adds, ...]] = (
        Adds(LESSON_PROGRESS, {"openings": 1, "seconds": "seconds", "first_t": "t", "last_t": "t"}),
    )
    learner: int
    pack: int
    lesson: int
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class LessonProgressed(Kind):
    """`reached` is how far into the lesson, in hundredths of a percent (0 to 10,000)."""

    number: ClassVar[int] = 7
    adds: ClassVar[tuple[Adds, ...]] = (
        Adds(
            LESSON_PROGRESS,
            {"seconds": "seconds", "furthest": "reached", "first_t": "t", "last_t": "t"},
        ),
    )
    learner: int
    pack: int
    lesson: int
    reached: int
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class QuestionAnswered(Kind):
    """`question` is numbered within its lesson by the manifest; `choice` counts from 0."""

    number: ClassVar[int] = 11
    adds: ClassVar[tuple[Adds, ...]] = (
        Adds(
            LESSON_PROGRESS,
            {"answers": 1, "right_answers": "right", "seconds": "seconds", "first_t": "t", "last_t": "t"},
        ),
    )
    learner: int
    pack: int
    lesson: int
    question: int
    choice: int
    right: bool
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class QuizSubmitted(Kind):
    """`score` is in hundredths of a percent (0 to 10,000)."""

    number: ClassVar[int] = 15
    adds: ClassVar[tuple[Adds, ...]] = (
        Adds(
            LESSON_PROGRESS,
            {"attempts": 1, "best_score": "score", "seconds": "seconds", "first_t": "t", "last_t": "t"},
        ),
    )
    learner: int
    pack: int
    lesson: int
    score: int
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class CourseCompleted(Kind):
    """The learner has met the course's rules; `lesson` is where it happened."""

    number: ClassVar[int] = 19
    adds: ClassVar[tuple[Adds, ...]] = (
        Adds(COURSE_PROGRESS, {"completions": 1, "completed_t": "t"}),
        Adds(LESSON_PROGRESS, {"seconds": "seconds", "first_t": "t", "last_t": "t"}),
    )
    learner: int
    pack: int
    lesson: int
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class QuestionResponded(Kind):
    """An answer that is no single choice: several places, an order, pairs, a word or a number, as text.

    What the text means is up to the question's kind in the pack. See `QuestionAnswered` for single choices.
    """

    number: ClassVar[int] = 23
    adds: ClassVar[tuple[Adds, ...]] = QuestionAnswered.adds
    learner: int
    pack: int
    lesson: int
    question: int
    response: str
    right: bool
    seconds: int = 0


KINDS: Final[dict[int, type[Kind]]] = {
    kind.number: kind
    for kind in (
        LogOpened,
        ClockObserved,
        AnchorNoted,
        PackInstalled,
        LearnerAdded,
        OperatorActed,
        LearnerContinued,
        BundleWritten,
        ProfileChanged,
        LearnerLeft,
        LessonOpened,
        LessonProgressed,
        QuestionAnswered,
        QuizSubmitted,
        CourseCompleted,
        QuestionResponded,
    )
}

COMMON_KINDS: Final[tuple[type[Kind], ...]] = (
    LessonOpened,
    LessonProgressed,
    QuestionAnswered,
    QuizSubmitted,
    CourseCompleted,
    ClockObserved,
    AnchorNoted,
    LearnerAdded,
    ProfileChanged,
    PackInstalled,
)
"""The kinds whose shape, as it is in format 1, costs one byte in a segment. Frozen: never reorder."""


def read_kind(entry: Entry) -> Kind | None:
    """The entry as an object of its kind, or None if this software doesn't know the kind.

    Raises:
        MalformedError: the kind is known and the fields don't fit it.
    """
    kind = KINDS.get(entry.kind)
    return None if kind is None else kind.from_fields(entry.fields)


def check_fields(kind: int, fields: tuple[Field, ...]) -> None:
    """Refuse fields that no entry may have, whether the kind is known or not.

    Raises:
        MalformedError: with what is wrong.
    """
    if not 0 <= kind <= KIND_MAX:
        raise MalformedError(N_("Jenis catatan ini tidak sah."))
    if len(fields) > limits.FIELDS_PER_ENTRY:
        raise MalformedError(N_("Catatan ini berisi terlalu banyak isian."))
    references = fields[: reference_count(kind)]
    if len(references) < reference_count(kind) or not all(
        type(value) is int and 0 <= value <= REFERENCE_MAX for value in references
    ):
        raise MalformedError(N_("Rujukan dalam catatan ini tidak sah."))
    size = 0
    for value in fields:
        if isinstance(value, bytes):
            size += len(value)
        elif isinstance(value, str):
            size += len(check_text(value))
        elif not isinstance(value, int) or not INT_MIN <= value <= INT_MAX:
            raise MalformedError(N_("Catatan ini berisi isian yang salah jenis."))
    if size > limits.ENTRY_FIELDS:
        raise MalformedError(N_("Catatan ini terlalu besar."))


def check_text(value: str) -> bytes:
    """The UTF-8 of a text that an entry may hold.

    Raises:
        MalformedError: it isn't normalised (NFC), or has no UTF-8.
    """
    if not unicodedata.is_normalized("NFC", value):
        raise MalformedError(N_("Teks dalam catatan ini tidak dinormalkan (NFC)."))
    try:
        return value.encode()
    except UnicodeEncodeError as problem:
        raise MalformedError(N_("Teks dalam catatan ini rusak.")) from problem

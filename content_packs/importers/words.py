"""Words that importers themselves put into a course: in the language of the course, whatever language its author reads.

They are no texts of the program, so they aren't in its catalogue. Languages that aren't here get Indonesian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Words:
    true: str
    false: str
    other_answers: str
    unit: str
    topic: str
    general: str
    page: str
    page_text: str


_BY_LANGUAGE: Final = {
    "id": Words("Benar", "Salah", "Jawaban lain", "Satuan", "Topik", "Umum", "Halaman", "Teks halaman"),
    "en": Words("True", "False", "Other answers", "Unit", "Topic", "General", "Page", "Text of page"),
}


def words_of(language: str) -> Words:
    return _BY_LANGUAGE.get(language, _BY_LANGUAGE["id"])

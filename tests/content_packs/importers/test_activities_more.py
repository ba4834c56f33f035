"""cmi5 and H5P packages as authoring tools write them: addresses of units, and what plain questions say beside their text."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from foreign import build, questions
from test_activities import CHOICE, CMI5, TRUE_FALSE, h5p_of, read

from content_packs.importers import cmi5, h5p

BLANKS: Final = {
    "text": "<p>Isi kata yang hilang.</p>",
    "questions": ["<p>Kas desa dicatat *Kaur Keuangan:jabatan*.</p>"],
    "behaviour": {"caseSensitive": True},
    "overallFeedback": [{"from": 0, "to": 100, "feedback": "Nilai @score."}],
}


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        ("isi/kuis%20satu.html?a=1", "isi/kuis satu.html?a=1"),
        ("./isi/index.html?kembali=https://x/y", "isi/index.html?kembali=https://x/y"),
        ("Isi\\Index.html", "isi/index.html"),
        ("isi/index.html#/bab/1?b=2", "isi/index.html#/bab/1?b=2"),
    ],
)
def test_a_unit_is_found_however_its_address_is_written(url: str, entry: str, tmp_path: Path) -> None:
    text = CMI5["cmi5.xml"].replace("isi/index.html?a=1", url)
    draft = read(cmi5, tmp_path, {**CMI5, "cmi5.xml": text, "isi/kuis satu.html": ""})
    activity = draft.lessons[0].activity
    assert activity is not None and activity.entry == entry


def test_a_course_that_was_packed_with_its_folder_is_read(tmp_path: Path) -> None:
    draft = read(cmi5, tmp_path, {f"Kursus/{name}": content for name, content in CMI5.items()})
    activity = draft.lessons[0].activity
    assert activity is not None and activity.entry == "Kursus/isi/index.html?a=1"
    assert build(draft, tmp_path / "folder").manifest.players == {"cmi5"}


@pytest.mark.parametrize(
    ("move_on", "is_named"),
    [
        ("Passed", True),
        ("CompletedAndPassed", True),
        ("CompletedOrPassed", False),
        ("NotApplicable", False),
    ],
)
def test_stricter_conditions_for_having_done_a_unit_are_named(
    move_on: str, is_named: bool, tmp_path: Path
) -> None:
    text = CMI5["cmi5.xml"].replace('moveOn="Passed"', f'moveOn="{move_on}"')
    draft = read(cmi5, tmp_path, {**CMI5, "cmi5.xml": text})
    assert any("moveOn" in said for said in draft.report.left_out) is is_named


def test_units_in_blocks_of_blocks_belong_to_the_outermost(tmp_path: Path) -> None:
    title = '<title><langstring lang="en">Inner</langstring></title>'
    text = CMI5["cmi5.xml"].replace("<au ", f'<block id="https://x/c">{title}<au ', 1)
    text = text.replace("</au>", "</au></block>", 1)
    assert read(cmi5, tmp_path, {**CMI5, "cmi5.xml": text}).lessons[0].module == "Part one"


def test_remarks_on_true_and_false_become_the_explanation(tmp_path: Path) -> None:
    said = {"feedbackOnCorrect": "Betul sekali.", "feedbackOnWrong": "Baca pasal 3."}
    (truth,) = questions(read(h5p, tmp_path, h5p_of("H5P.TrueFalse", {**TRUE_FALSE, "behaviour": said})))
    assert truth.right == (1,)
    assert truth.explanation == "<p>Benar: Baca pasal 3.</p>\n<p>Salah: Betul sekali.</p>"


def test_a_blank_keeps_its_task_and_what_is_lost_is_named(tmp_path: Path) -> None:
    draft = read(h5p, tmp_path, h5p_of("H5P.Blanks", BLANKS))
    (blank,) = questions(draft)
    assert "Isi kata yang hilang." in blank.text and "dicatat _____." in blank.text
    assert blank.accepted == ("Kaur Keuangan",)
    assert "Petunjuk dan tanggapan akhir H5P yang tidak dibawa: 2." in " ".join(draft.report.left_out)
    assert any("huruf besar" in said for said in draft.report.changed)


def test_a_set_of_questions_keeps_its_introduction_and_passing_grade(tmp_path: Path) -> None:
    content = {
        "introPage": {"showIntroPage": True, "introduction": "<p>Baca dulu.</p>"},
        "passPercentage": 65,
        "poolSize": 1,
        "questions": [{"library": "H5P.TrueFalse 1.8", "params": TRUE_FALSE}],
    }
    draft = read(h5p, tmp_path, h5p_of("H5P.QuestionSet", content))
    assert draft.passing_grade == 65
    assert draft.lessons[0].html == "<p>Baca dulu.</p>"
    assert any("semuanya ditanyakan" in said for said in draft.report.left_out)
    assert build(draft, tmp_path / "folder").manifest.passing_grade == 65


@pytest.mark.parametrize(
    ("library", "change"),
    [
        (
            "H5P.MultiChoice",
            {"media": {"type": {"library": "H5P.Video 1.6", "params": {"sources": [{"path": "v.mp4"}]}}}},
        ),
        (
            "H5P.MultiChoice",
            {"media": {"type": {"library": "H5P.Audio 1.5", "params": {"files": [{"path": "a.mp3"}]}}}},
        ),
        (
            "H5P.MultiChoice",
            {"answers": [{"text": t, "correct": True} for t in "AB"], "behaviour": {"type": "single"}},
        ),
        ("H5P.Blanks", {"questions": ["<p>2 * 3 = *6*</p>"]}),
    ],
)
def test_what_would_lose_a_part_or_its_answer_goes_to_the_player(
    library: str, change: dict[str, Any], tmp_path: Path
) -> None:
    content = {**(CHOICE if library == "H5P.MultiChoice" else BLANKS), **change}
    draft = read(h5p, tmp_path, h5p_of(library, content))
    assert draft.lessons[0].activity is not None and not questions(draft)
    assert not draft.report.left_out and not draft.report.changed


def test_a_film_that_was_never_chosen_is_none(tmp_path: Path) -> None:
    media = {"type": {"library": "H5P.Video 1.6", "params": {"visuals": {"fit": True}}}}
    assert questions(read(h5p, tmp_path, h5p_of("H5P.MultiChoice", {**CHOICE, "media": media})))


def test_a_picture_as_older_packages_name_it_comes_along(tmp_path: Path) -> None:
    media = {"library": "H5P.Image 1.0", "params": {"file": {"path": "images/a.png"}, "alt": "Alur"}}
    draft = read(h5p, tmp_path, h5p_of("H5P.MultiChoice", {**CHOICE, "media": media}))
    assert 'src="media:a.png" alt="Alur"' in questions(draft)[0].text

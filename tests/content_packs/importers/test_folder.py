"""From a draft to a folder that an author can change and that builds: nothing is lost on the way, nothing written over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_packs.build import build_pack
from content_packs.errors import PackError
from content_packs.importers.draft import Draft, DraftActivity, DraftLesson, DraftQuestion
from content_packs.importers.folder import slug, write_folder
from content_packs.lesson_file import read_lesson_file
from content_packs.questions import QuestionKind
from content_packs.verify import unpacked
from sync.keys import SigningKey

KEY = SigningKey.from_seed(b"p" * 32)
ODD = 'Baris "satu"\n\\ dan \x7f \t … 😀'


def draft(*lessons: DraftLesson, **more: object) -> Draft:
    return Draft("Kas Desa", list(lessons), **more)  # type: ignore[arg-type]


def test_a_draft_becomes_a_folder_that_builds(tmp_path: Path) -> None:
    package = {"index.html": lambda: b"<script>", "sub/a.js": lambda: b"x"}
    made = draft(
        DraftLesson("Buku kas", '<p>Isi <img src="media:a.png" alt="A"></p>', minutes=5, module="Satu"),
        DraftLesson("Buku kas", questions=[DraftQuestion("Apa?", choices=("a", "b"), right=(1,))]),
        DraftLesson("Main", activity=DraftActivity("scorm", "index.html?x=1", dict(package))),
        media={"a.png": lambda: b"PNG"},
    )
    write_folder(made, tmp_path / "course")
    pack = build_pack(tmp_path / "course", KEY)
    assert [lesson.id for lesson in pack.manifest.lessons] == ["buku-kas", "buku-kas-2", "main"]
    assert pack.manifest.lessons[0].minutes == 5
    assert pack.manifest.players == {"scorm"}
    assert {file.path for file in pack.manifest.files} >= {
        "a.png",
        "main-isi/index.html",
        "main-isi/sub/a.js",
    }


def test_lessons_that_start_in_one_package_share_its_files(tmp_path: Path) -> None:
    files = {"a.html": lambda: b"a", "b.html": lambda: b"b"}
    made = draft(
        DraftLesson("A", activity=DraftActivity("scorm", "a.html", files)),
        DraftLesson("B", activity=DraftActivity("scorm", "b.html", files)),
    )
    write_folder(made, tmp_path / "course")
    manifest = build_pack(tmp_path / "course", KEY).manifest
    assert {lesson.activity for lesson in manifest.lessons} == {"a-isi"}
    assert sum("/" in file.path for file in manifest.files) == 2


texts = st.text(min_size=1, max_size=30).filter(lambda text: text.strip() != "")
questions = st.one_of(
    st.builds(
        DraftQuestion,
        texts,
        st.just(QuestionKind.CHOICE),
        st.lists(texts, min_size=2, max_size=5, unique=True).map(tuple),
        st.just((0,)),
        explanation=st.text(max_size=20),
    ),
    st.builds(DraftQuestion, texts, st.just(QuestionKind.NUMBER), accepted=st.just(("1,5", "0"))),
)


@given(st.lists(questions, min_size=1, max_size=4), texts)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_texts_a_draft_holds_its_questions_come_through(
    tmp_path_factory: pytest.TempPathFactory, made: list[DraftQuestion], title: str
) -> None:
    folder = tmp_path_factory.mktemp("draft") / "course"
    write_folder(draft(DraftLesson(title, questions=made)), folder)
    pack = build_pack(folder, KEY)
    (file,) = pack.manifest.files
    content = b"".join(unpacked(pack.pieces[digest], digest) for digest in file.pieces)
    assert [question.kind for question in read_lesson_file(content).questions] == [one.kind for one in made]


def test_texts_of_every_sort_stand_in_the_folder_as_they_are(tmp_path: Path) -> None:
    question = DraftQuestion("Apa?", QuestionKind.TEXT, accepted=(ODD,), explanation=ODD)
    write_folder(draft(DraftLesson(ODD, questions=[question]), summary=ODD), tmp_path / "course")
    assert build_pack(tmp_path / "course", KEY).manifest.summary == ODD


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(PackError):
        write_folder(draft(DraftLesson("A", "<p>a</p>")), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_nothing_to_learn_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(PackError):
        write_folder(draft(DraftLesson("A")), tmp_path / "course")
    assert not (tmp_path / "course").exists()


@pytest.mark.parametrize("name", ["../a.png", "A.png", "a/b.png", ""])
def test_media_under_names_that_no_pack_has_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PackError):
        write_folder(draft(DraftLesson("A", "<p>a</p>"), media={name: lambda: b""}), tmp_path / "course")


@pytest.mark.parametrize("name", ["../a.html", "/a.html", "a/../../b"])
def test_an_activity_never_writes_outside_its_folder(tmp_path: Path, name: str) -> None:
    lesson = DraftLesson("A", activity=DraftActivity("scorm", name, {name: lambda: b"x"}))
    with pytest.raises(PackError):
        write_folder(draft(lesson), tmp_path / "deep" / "course")
    assert {path.name for path in tmp_path.rglob("*")} <= {"deep", "course", "course.toml"}


@pytest.mark.parametrize(
    ("text", "made"),
    [("Buku Kas Umum!", "buku-kas-umum"), ("Évaluasi", "evaluasi"), ("…", "x"), ("a" * 80, "a" * 50)],
)
def test_ids_are_made_of_titles(text: str, made: str) -> None:
    assert slug(text, "x") == made

"""What a course folder may hold besides readings with one right choice: other questions, HTML, films, activities, modules."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from workshop import PUBLISHER, anyone

from content_packs.build import build_pack
from content_packs.errors import PackError
from content_packs.manifest import Module
from content_packs.questions import QuestionKind, is_right, read_answer
from content_packs.render import with_addresses
from content_packs.store import InstalledPack, PackStore
from content_packs.verify import open_pack

HEAD = '+++\nid = "{id}"\ntitle = "{id}"\n{more}+++\n'
KINDS = """
## [satu] Siapa?
- [x] Bendahara
- [ ] Camat
> Karena begitu.

## [dua|ganda] Yang mana saja?
- [x] Buku kas
- [ ] Koran
- [x] Buku bank

## [tiga|jodoh] Pasangkan.
- RKP => satu tahun
- RPJM => delapan tahun
- => dua puluh tahun

## [empat|urut] Urutkan.
1. Rancang
2. Bahas
3. Tetapkan

## [lima|isian] Singkatan anggaran desa?
- [x] APB Desa
- [x] APBDes

## [enam|angka] Berapa persen?
- [x] 12,5 ± 0,5
"""


def course(folder: Path, *files: tuple[str, str | bytes], general: bool = True) -> Path:
    folder.mkdir()
    toml = f'id = "kas"\ntitle = "Kas"\nversion = 1\ngeneral = {str(general).lower()}\n'
    for name, content in (("course.toml", toml), *files):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def installed(tmp_path: Path, *files: tuple[str, str | bytes]) -> InstalledPack:
    with (tmp_path / "x.lontar").open("wb") as file:
        build_pack(course(tmp_path / "course", *files), PUBLISHER).write(file)
    with open_pack(tmp_path / "x.lontar", anyone) as pack:
        return PackStore(tmp_path / "packs").install(pack)


def head(id_: str, more: str = "") -> str:
    return HEAD.format(id=id_, more=more)


def test_every_kind_of_question_is_asked_and_can_be_answered_rightly(tmp_path: Path) -> None:
    questions = installed(tmp_path, ("01-soal.md", head("soal") + KINDS)).lesson(1).questions
    assert [question.kind for question in questions] == list(QuestionKind)
    for question in questions:
        answer = read_answer(question, question.right_answer)
        assert answer is not None and is_right(question, answer), question
    assert questions[2].targets == ("satu tahun", "delapan tahun", "dua puluh tahun")
    assert questions[3].choices == ("Rancang", "Bahas", "Tetapkan")
    assert is_right(questions[4], "apbdes.")
    assert is_right(questions[5], "13")


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ("[a|rumit] ?\n- [x] b\n- [ ] c", "jenis soal [a|rumit] tidak dikenal"),
        ("[a|ganda] ?\n- [ ] b\n- [ ] c", "tidak punya jawaban benar"),
        ("[a|jodoh] ?\n- b => c", "2 sampai 12 pilihan"),
        ("[a|jodoh] ?\n- b => d\n- c => d", "tidak punya jawaban benar"),
        ("[a|urut] ?\n1. b", "2 sampai 12 pilihan"),
        ("[a|urut] ?\n1. b\n- [x] c", "baris tak dikenal"),
        ("[a|isian] ?", "tidak punya jawaban benar"),
        ("[a|isian] ?\n- [x] ...", "tidak punya jawaban benar"),
        ("[a|angka] ?\n- [x] banyak", "tidak punya jawaban benar"),
    ],
)
def test_questions_that_nobody_can_answer_are_told_so(tmp_path: Path, block: str, sentence: str) -> None:
    folder = course(tmp_path / "course", ("01-a.md", head("a") + "\n## " + block))
    with pytest.raises(PackError) as refused:
        build_pack(folder, PUBLISHER)
    assert sentence in str(refused.value)


def test_an_html_lesson_is_cleaned_and_has_its_questions_beside_it(tmp_path: Path) -> None:
    html = '<h2 onclick="x()">Kas</h2><script>bad()</script><p><img src="media:a.png" alt=""></p>'
    questions = """[[question]]
id = "dua"
kind = "multiple"
text = "<b>Mana</b> <img src=\\"media:b.png\\" alt=\\"Buku\\">?"
choices = ["x", "y"]
right = [0, 1]
"""
    files: list[tuple[str, str | bytes]] = [
        ("01-a.html", head("a") + html),
        ("01-a.soal.toml", questions),
        ("a.png", b"A"),
        ("b.png", b"B"),
    ]
    pack = installed(tmp_path, *files)
    content = pack.lesson(1)
    assert content.html == '<h2>Kas</h2><p><img src="media:a.png" alt=""></p>'
    assert content.questions[0].text == '<b>Mana</b> <img src="media:b.png" alt="Buku">?'
    assert pack.file_names == {"a.cbor", "a.png", "b.png"}


@pytest.mark.parametrize(
    "table",
    [
        "x = 1",
        "question = 1",
        "[[question]]\nid = 1",
        '[[question]]\nid = "a"\ntext = "?"\nchoices = ["a", "b"]\nright = ["0"]',
        '[[question]]\nid = "a"\ntext = "?"\nchoices = ["a", "b"]\nright = [2]',
        '[[question]]\nid = "a"\ntext = "?"\nkind = "essay"',
        '[[question]]\nid = "a"\ntext = "?"\nmore = ""',
        "[[question",
    ],
)
def test_tables_of_questions_that_are_none_are_refused(tmp_path: Path, table: str) -> None:
    folder = course(tmp_path / "course", ("01-a.html", head("a")), ("01-a.soal.toml", table))
    with pytest.raises(PackError, match=r"01-a\.soal\.toml: "):
        build_pack(folder, PUBLISHER)


def test_films_sound_and_documents_are_shown_as_what_they_are(tmp_path: Path) -> None:
    film = random.Random(1).randbytes(700_000)
    reading = "![Rapat](rapat.mp4)\n\n![Lagu](lagu.mp3)\n\n![Naskah](naskah.pdf)"
    pack = installed(
        tmp_path,
        ("01-a.md", head("a") + reading),
        ("rapat.mp4", film),
        ("rapat.vtt", "WEBVTT\n"),
        ("rapat.jpg", b"J"),
        ("lagu.mp3", b"L"),
        ("naskah.pdf", b"%PDF-"),
    )
    html = with_addresses(pack.lesson(1).html, lambda name: f"/m/{name}", pack.file_names)
    assert (
        '<video controls playsinline preload="metadata" poster="/m/rapat.jpg" src="/m/rapat.mp4" title="Rapat">'
        in html
    )
    assert '<track kind="captions" src="/m/rapat.vtt" default>' in html
    assert '<audio controls preload="metadata" src="/m/lagu.mp3" title="Lagu">' in html
    assert '<a class="document" href="/m/naskah.pdf">Naskah</a>' in html
    shown = pack.media("rapat.mp4")
    assert shown is not None and (shown.media_type, shown.size) == ("video/mp4", len(film))
    for at in (0, 1, 300_000, 699_999, 700_000, 800_000):
        shown.file.seek(at)
        assert shown.file.read() == film[at:]


def test_an_activity_brings_its_whole_folder_under_the_names_it_has(tmp_path: Path) -> None:
    more = 'player = "scorm"\nactivity = "paket"\nentry = "Sub Folder/index.html?a=1"\n'
    files: list[tuple[str, str | bytes]] = [
        ("01-a.md", head("a", more)),
        ("paket/Sub Folder/index.html", "<script>"),
        ("paket/Gambar.PNG", b"P"),
        ("paket/data.bin", b"D"),
    ]
    manifest = installed(tmp_path, *files).manifest
    assert {file.path: file.media_type for file in manifest.files if "/" in file.path} == {
        "paket/Gambar.PNG": "image/png",
        "paket/Sub Folder/index.html": "text/html",
        "paket/data.bin": "application/octet-stream",
    }
    lesson = manifest.lessons[0]
    assert (lesson.player, lesson.activity, lesson.entry) == ("scorm", "paket", "Sub Folder/index.html?a=1")


def test_files_of_activities_are_not_served_as_what_lessons_show(tmp_path: Path) -> None:
    more = 'player = "h5p"\nactivity = "paket"\nentry = "h5p.json"\n'
    pack = installed(tmp_path, ("01-a.md", head("a", more)), ("paket/h5p.json", "{}"), ("paket/a.svg", "x"))
    assert pack.media("paket/a.svg") is None
    assert pack.media("paket/h5p.json") is None
    assert pack.media("a.cbor") is None


@pytest.mark.parametrize(
    "more",
    [
        'player = "flash"\nactivity = "a"\nentry = "b"\n',
        'player = "scorm"\n',
        'was = "a"\n',
        "revised_in = -1\n",
    ],
)
def test_heads_that_no_lesson_has_are_refused(tmp_path: Path, more: str) -> None:
    with pytest.raises(PackError, match=r"01-a\.md: "):
        build_pack(course(tmp_path / "course", ("01-a.md", head("a", more))), PUBLISHER)


def test_a_link_in_an_activity_is_refused(tmp_path: Path) -> None:
    more = 'player = "h5p"\nactivity = "paket"\nentry = "h5p.json"\n'
    folder = course(tmp_path / "course", ("01-a.md", head("a", more)), ("paket/h5p.json", "{}"))
    (folder / "paket" / "b").symlink_to("/etc/passwd")
    with pytest.raises(PackError):
        build_pack(folder, PUBLISHER)


def test_lessons_in_a_row_that_name_the_same_module_belong_together(tmp_path: Path) -> None:
    one, two = 'module = "Bagian 1"\n', 'module = "Bagian 2"\n'
    files = [(f"0{at}-x.md", head(f"m{at}", more)) for at, more in enumerate((one, one, "", two), start=1)]
    manifest = installed(tmp_path, *files).manifest
    assert manifest.modules == (
        Module("m1", "Bagian 1", 2),
        Module("m3", "m3", 1),
        Module("m4", "Bagian 2", 1),
    )


def test_a_course_about_law_names_its_basis_and_others_needn_t(tmp_path: Path) -> None:
    build_pack(course(tmp_path / "general", ("01-a.md", head("a"))), PUBLISHER)
    with pytest.raises(PackError, match="legal_basis"):
        build_pack(course(tmp_path / "law", ("01-a.md", head("a")), general=False), PUBLISHER)

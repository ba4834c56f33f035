"""What our own courses teach: each rule right where it is treated, no overtaken rule as true, every lesson complete.

Taught as true is what a learner may take home: readings, texts in pictures, questions, right choices, explanations.
Wrong choices may be wrong. Rules and traps are those that each course's SUMBER.md lists as sure or left out on purpose.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from defusedxml.ElementTree import parse
from workshop import PUBLISHER

import content_packs
from content_packs import render
from content_packs.build import build_pack
from content_packs.packing import packed
from content_packs.source import SourceLesson, read_lesson
from content_packs.source_questions import SourceQuestion

DEMO = Path(content_packs.__file__).parent / "demo"
LAW = ("pengelolaan-keuangan-desa", "perencanaan-pembangunan-desa")
LONTAR = "belajar-dengan-lontar"
COURSES = (*LAW, LONTAR)

SVG = "{http://www.w3.org/2000/svg}"
CITED = re.compile(r"\b(?:UU|PP|Permendagri|Permendes) \d+/\d{4}|\bPanduan Lontar\b")
MONTHS = "Januari|Februari|Maret|April|Mei|Juni|Juli|Agustus|September|Oktober|November|Desember"
BASIS = re.compile(r"\((?:[^()]|\([^()]*\))*\)$")
"""The brackets at the end of an explanation; `ayat (2)` may stand in them."""


@dataclass(frozen=True)
class Rule:
    """A fact that is easily taught wrong. Patterns are matched without regard to case; `.` stops at a line's end."""

    name: str
    subject: str
    """Which course treats it."""
    right: tuple[str, ...]
    """What such a course must say, all of it."""
    wrong: str
    """What no course may say as true."""
    example: str
    """Something wrong that must be found."""


RULES = (
    Rule(
        "a village head serves 8 years from the inauguration, at most twice (UU 3/2024, not 6 years three times)",
        r"masa jabatan Kepala Desa",
        (
            r"\b8 tahun sejak (tanggal )?pelantikan",
            r"paling banyak 2 kali",
            r"berturut-turut atau tidak",
            r"UU 3/2024",
        ),
        r"\b(6|enam)( \(\w+\))? tahun\b|\b(3|tiga)( \(\w+\))? (periode|kali masa jabatan|masa jabatan)"
        r"|jabatan[^.\n\d]{0,60}\b(?!8\b|2\b)\d+ (tahun|kali)",
        "Masa jabatan Kepala Desa enam (6) tahun, paling banyak tiga periode.",
    ),
    Rule(
        "a BPD has an odd number of members, 5 to 9",
        r"anggota BPD berjumlah|jumlah anggota(nya)? (BPD )?gasal|jumlah anggota BPD",
        (r"gasal", r"paling sedikit 5", r"paling banyak 9"),
        r"anggota BPD[^.\n]*\bgenap|(?<!tidak )\b(5|lima) sampai (?!9|sembilan)\d+ orang",
        "Jumlah anggota BPD 5 sampai 11 orang.",
    ),
    Rule(
        "the BPD holds the Musyawarah Desa, at least once a year",
        r"Musyawarah Desa",
        (
            r"diselenggarakan oleh BPD",
            r"paling sedikit (satu kali|sekali)\b[^.\n]*(setahun|dalam satu tahun)",
        ),
        r"Musyawarah Desa diselenggarakan oleh (?!BPD)|Musyawarah Desa[^.\n]*sekali dalam (dua|tiga|\d+) tahun",
        "Musyawarah Desa diselenggarakan oleh Kepala Desa.",
    ),
    Rule(
        "the BPD has three functions",
        r"fungsi BPD",
        (
            r"membahas dan menyepakati Rancangan Peraturan Desa",
            r"menampung dan menyalurkan aspirasi",
            r"mengawasi kinerja Kepala Desa",
        ),
        r"BPD (adalah|merupakan) bagian dari Pemerintah Desa|BPD memegang uang desa",
        "BPD merupakan bagian dari Pemerintah Desa.",
    ),
    Rule(
        "the RPJM Desa is set within 3 months; how many years it holds is not taught",
        r"RPJM Desa",
        (r"RPJM Desa ditetapkan paling lambat (3|tiga) bulan setelah pelantikan",),
        r"RPJM[^.\n]*\b(6|8|enam|delapan)\b[^.\n]*\btahun\b|RPJM Desa[^.\n\d]*\b(?!3\b)\d+ bulan",
        "RPJM Desa berlaku untuk jangka waktu 8 (delapan) tahun.",
    ),
    Rule(
        "the RKP Desa is begun in July and set by the end of September",
        r"RKP Desa",
        (r"dimulai pada bulan Juli", r"ditetapkan (dengan Peraturan Desa )?paling lambat akhir September"),
        rf"RKP Desa[^.\n]*(ditetapkan|penetapan)[^.\n]*akhir (bulan )?(?!September)({MONTHS})"
        rf"|RKP Desa[^.\n]*dimulai (pada )?(bulan )?(?!Juli)({MONTHS})",
        "RKP Desa ditetapkan paling lambat akhir Desember.",
    ),
    Rule(
        "drafts of village regulations must be consulted with the community",
        r"dikonsultasikan",
        (r"wajib dikonsultasikan dengan masyarakat",),
        r"(tidak (perlu|wajib)|dapat) dikonsultasikan dengan masyarakat",
        "Rancangan Peraturan Desa dapat dikonsultasikan dengan masyarakat.",
    ),
    Rule(
        "Peraturan Desa stand in the Lembaran Desa, those of the village head in the Berita Desa",
        r"Lembaran Desa",
        (
            r"Peraturan Desa dimuat dalam Lembaran Desa",
            r"Peraturan Kepala Desa( dimuat)? dalam Berita Desa",
        ),
        r"Peraturan Kepala Desa[^.,;\n]*Lembaran Desa|(?<!Kepala )Peraturan Desa dimuat dalam Berita Desa",
        "Peraturan Kepala Desa dimuat dalam Lembaran Desa.",
    ),
    Rule(
        "the regent evaluates the APB Desa within 20 working days",
        r"evaluasi[^.\n]*bupati|bupati[^.\n]*evaluasi",
        (r"evaluasi[^.\n\d]*paling lama 20 hari kerja",),
        r"evaluasi[^.\n\d]*\b(?!20\b)\d+ hari\b|evaluasi[^.\n]*20 hari (kalender|setelah)",
        "Evaluasi oleh bupati paling lama 14 hari kerja.",
    ),
    Rule(
        "drafting the DPA is ordered within 3 working days",
        r"menyusun DPA|penyusunan DPA",
        (r"DPA[^.\n\d]*paling lama 3 hari kerja",),
        r"DPA[^.\n\d]*\b(?!3\b)\d+ hari\b",
        "Penyusunan DPA ditugaskan paling lama 7 hari kerja.",
    ),
    Rule(
        "swakelola cash is used within 10 working days or goes back",
        r"swakelola",
        (r"swakelola[^.\n\d]*paling lama 10 hari kerja", r"dikembalikan kepada Kaur Keuangan"),
        r"swakelola[^.\n\d]*\b(?!10\b)\d+ hari\b",
        "Uang swakelola digunakan paling lama 30 hari kerja.",
    ),
    Rule(
        "Kaur Keuangan does the treasurer's work, and the village head is PKPKD",
        r"kebendaharaan",
        (r"kebendaharaan dilaksanakan oleh Kaur Keuangan", r"Kepala Desa adalah PKPKD"),
        r"kebendaharaan (dilaksanakan|dipegang) oleh (?!Kaur Keuangan)",
        "Fungsi kebendaharaan dilaksanakan oleh Kepala Desa.",
    ),
    Rule(
        "LPPD goes to the regent through the camat, LKPPD to the BPD",
        r"LKPPD",
        (r"LPPD disampaikan kepada bupati melalui camat", r"LKPPD disampaikan kepada BPD"),
        r"LKPPD[^.,;|\n]*\bbupati|\bLPPD\b[^.,;|\n]*\bBPD\b",
        "LKPPD disampaikan kepada bupati.",
    ),
    Rule(
        "written information reaches the community within 3 months; half-year reports have two dates and are left out",
        r"informasi tertulis",
        (r"paling lama 3 bulan setelah tahun anggaran berakhir",),
        r"tertulis[^.\n\d]*\b(?!3\b)\d+ bulan|semester pertama|akhir (bulan )?Juli|minggu kedua (bulan )?Juli",
        "Laporan semester pertama disampaikan paling lambat akhir bulan Juli.",
    ),
    Rule(
        "lost personal data are told within 3 x 24 hours",
        r"data pribadi warga hilang",
        (r"paling lambat 3 × 24 jam", r"UU 27/2022 Pasal 46"),
        r"pemberitahuan tertulis[^.\n\d]*\b(?!3\b)\d+|\b(?!3 )\d+ × 24 jam",
        "Pemberitahuan tertulis disampaikan paling lambat 7 × 24 jam.",
    ),
    Rule(
        "village assets are no collateral; rent lasts at most 3 years",
        r"aset desa",
        (r"tidak boleh digadaikan atau dijadikan jaminan", r"paling lama 3 tahun"),
        r"(?<!tidak )boleh (digadaikan|dijadikan jaminan)|sewa[^.\n\d]*\b(?!3\b)\d+ tahun",
        "Sewa aset desa paling lama 5 tahun.",
    ),
    Rule(
        "the APB Desa's expenses have five fields, a village's powers four",
        r"bidang belanja|Belanjanya? dibagi",
        (r"lima bidang", r"empat bidang", r"penanggulangan bencana"),
        r"(belanja[^.\n]*\b(dibagi ke dalam|terbagi dalam|dalam)|kewenangan[^.\n]*ke dalam) (tiga|enam|tujuh) bidang",
        "Belanja APB Desa dibagi ke dalam tujuh bidang.",
    ),
)

NEVER = {
    "the share of women in the BPD, on which two texts differ": (
        r"\b30 ?(%|persen)|keterwakilan perempuan|seorang perempuan",
        "memperhatikan 30 persen keterwakilan perempuan",
    ),
    "electronic signature, a legal term for something else": (
        r"tanda tangan elektronik|ditandatangani secara elektronik",
        "Sertifikat ini ditandatangani secara elektronik.",
    ),
    "articles of the regulation that Permendagri 20/2018 replaced": (
        r"Permendagri (113/2014|66/2007) Pasal",
        "Permendagri 113/2014 Pasal 24",
    ),
    "a wrong name of SPP": (r"Surat Perintah Pembayaran", "SPP (Surat Perintah Pembayaran)"),
    "a national identity number asked for": (
        r"(?<!Jangan )\b(ketik|isi|masukkan|tulis)(lah|kan)? NIK",
        "Masukkan NIK Anda.",
    ),
}


@cache
def lessons(course: str) -> tuple[SourceLesson, ...]:
    return tuple(read_lesson(path) for path in sorted((DEMO / course).glob("[0-9][0-9]-*.md")))


def everything() -> Iterator[tuple[str, SourceLesson]]:
    for course in COURSES:
        for lesson in lessons(course):
            yield course, lesson


def questions() -> Iterator[tuple[SourceLesson, SourceQuestion]]:
    for _, lesson in everything():
        for question in lesson.questions:
            yield lesson, question


def plain(markdown: str) -> str:
    """Without marks of emphasis and table cells, so that sentences can be found."""
    return re.sub(r" *\| *", " ", re.sub(r"[*_`]", "", markdown))


def words_in(picture: Path) -> list[str]:
    return [
        text.text or ""
        for text in parse(picture).iter()
        if text.tag in (SVG + "text", SVG + "title", SVG + "desc")
    ]


def pictures(lesson: SourceLesson) -> list[tuple[Path, str]]:
    return [(lesson.path.with_name(name), said) for name, said in render.pictures(lesson.reading)]


def taught(lesson: SourceLesson) -> str:
    """All that a lesson says is true."""
    said = [lesson.title, lesson.reading, *lesson.legal_basis]
    for picture, _ in pictures(lesson):
        said += words_in(picture)
    for question in lesson.questions:
        said += [
            question.text,
            *(question.choices[place] for place in question.right),
            question.explanation,
        ]
    return plain("\n".join(said))


@cache
def taught_in(course: str) -> str:
    return "\n".join(taught(lesson) for lesson in lessons(course))


by_lesson = pytest.mark.parametrize(
    ("course", "lesson"),
    list(everything()),
    ids=[f"{course}/{lesson.path.stem}" for course, lesson in everything()],
)
by_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
by_course = pytest.mark.parametrize("course", COURSES)


def test_these_are_all_our_courses() -> None:
    assert {path.parent.name for path in DEMO.glob("*/course.toml")} == set(COURSES)


@by_rule
def test_a_course_that_treats_a_rule_says_it_right(rule: Rule) -> None:
    treating = [course for course in COURSES if re.search(rule.subject, taught_in(course), re.I)]
    assert treating, "no course treats it: the rule would never be tested"
    for course in treating:
        for right in rule.right:
            assert re.search(right, taught_in(course), re.I), f"{course} lacks: {right}"


@by_lesson
def test_no_lesson_teaches_an_overtaken_or_disputed_rule(course: str, lesson: SourceLesson) -> None:
    for wrong in (*(rule.wrong for rule in RULES), *(pattern for pattern, _ in NEVER.values())):
        found = re.search(wrong, taught(lesson), re.I)
        assert not found, f"{course}/{lesson.path.name}: {found and found[0]}"


@pytest.mark.parametrize(
    ("wrong", "example"), [(rule.wrong, rule.example) for rule in RULES] + list(NEVER.values())
)
def test_the_wrong_forms_would_be_found(wrong: str, example: str) -> None:
    assert re.search(wrong, plain(example), re.I)


def test_a_wrong_form_is_found_wherever_a_learner_reads_it_but_not_among_wrong_choices(
    tmp_path: Path,
) -> None:
    head = '+++\nid = "a"\ntitle = "A"\nlegal_basis = ["UU 3/2024"]\nreviewed = "2026-11-25"\n+++\n'
    picture = '<svg xmlns="http://www.w3.org/2000/svg"><text>selama enam tahun</text></svg>'
    (tmp_path / "a.svg").write_text(picture, encoding="utf-8")
    places = {
        "reading": "Kepala Desa menjabat **enam** tahun.\n",
        "table": "| Kepala Desa | enam tahun |\n",
        "picture": "![Masa jabatan](a.svg)\n",
        "right": "## [q] Berapa?\n- [x] enam tahun\n- [ ] 8 tahun\n> Sebab.\n",
        "explanation": "## [q] Berapa?\n- [x] 8 tahun\n- [ ] 5 tahun\n> Bukan 4, tetapi enam tahun.\n",
    }
    for name, body in places.items():
        (tmp_path / "01-a.md").write_text(head + body, encoding="utf-8")
        assert re.search(RULES[0].wrong, taught(read_lesson(tmp_path / "01-a.md")), re.I), name
    (tmp_path / "01-a.md").write_text(
        head + "## [q] Berapa?\n- [x] 8 tahun\n- [ ] enam tahun\n> Delapan.\n", encoding="utf-8"
    )
    assert not re.search(RULES[0].wrong, taught(read_lesson(tmp_path / "01-a.md")), re.I)


@by_lesson
def test_every_lesson_names_its_basis_and_its_review(course: str, lesson: SourceLesson) -> None:
    assert lesson.legal_basis
    assert lesson.reviewed >= "2026-11-24"
    assert lesson.minutes > 0
    for basis in lesson.legal_basis:
        assert CITED.search(basis), basis
        assert ("Panduan Lontar" in basis) == (course == LONTAR)


@pytest.mark.parametrize(
    "lesson",
    [lesson for _, lesson in everything() if lesson.role == "lesson"],
    ids=lambda lesson: f"{lesson.path.parent.name}/{lesson.path.stem}",
)
def test_every_lesson_has_a_picture_that_also_speaks(lesson: SourceLesson) -> None:
    assert pictures(lesson), "no picture"
    for picture, said in pictures(lesson):
        assert len(said) >= 40, f"{picture.name}: {said}"


@pytest.mark.parametrize(
    "picture", sorted(DEMO.glob("*/*.svg")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_a_picture_is_small_readable_on_a_telephone_and_runs_nothing(picture: Path) -> None:
    assert picture.stat().st_size <= 6 * 1024
    root = parse(picture).getroot()
    assert root is not None
    assert root.get("role") == "img"
    assert root.findtext(SVG + "title")
    assert root.get("viewBox", "").split()[:3] == ["0", "0", "320"]
    drawn = {
        "svg",
        "title",
        "desc",
        "g",
        "rect",
        "circle",
        "ellipse",
        "path",
        "line",
        "polygon",
        "text",
        "tspan",
    }
    for part in root.iter():
        assert part.tag.removeprefix(SVG) in drawn
        assert not [
            name for name in part.attrib if "href" in name or name.startswith("on") or name == "style"
        ]
        assert float(part.get("font-size", "16")) >= 13, "too small at 360 pixels"
        assert part.get("font-family", "sans-serif") == "sans-serif"


def test_every_picture_is_shown_by_a_lesson() -> None:
    shown = {picture for _, lesson in everything() for picture, _ in pictures(lesson)}
    assert shown == set(DEMO.glob("*/*.svg"))


@pytest.mark.parametrize("course", LAW)
def test_a_course_of_the_ministry_has_eight_lessons_between_two_tests_of_ten_questions(course: str) -> None:
    roles = [lesson.role for lesson in lessons(course)]
    assert roles == ["pretest", *["lesson"] * (len(roles) - 2), "posttest"]
    assert len(roles) >= 10
    for test in (lessons(course)[0], lessons(course)[-1]):
        assert len(test.questions) >= 10


def test_the_course_about_lontar_takes_about_five_minutes() -> None:
    assert 3 <= sum(lesson.role == "lesson" for lesson in lessons(LONTAR)) <= 4
    assert len(lessons(LONTAR)[-1].questions) >= 5
    assert sum(lesson.minutes for lesson in lessons(LONTAR)) <= 6


@pytest.mark.parametrize(
    ("lesson", "question"),
    list(questions()),
    ids=[f"{lesson.path.parent.name[:10]}-{question.id}" for lesson, question in questions()],
)
def test_every_question_is_explained_with_its_reason_and_its_basis(
    lesson: SourceLesson, question: SourceQuestion
) -> None:
    assert len(question.right) == 1
    assert 3 <= len(question.choices) <= 4
    stands_on = BASIS.search(question.explanation)
    assert stands_on and CITED.search(stands_on[0])
    assert stands_on.start() > 20, "no reason"
    assert set(CITED.findall(stands_on[0])) <= set(CITED.findall(" ".join(lesson.legal_basis)))
    for choice in question.choices:
        assert not re.search(r"\b(semua\w*|keduanya)( \w+)*? (benar|salah)\b|\bdi atas\b", choice, re.I), (
            choice
        )


@by_course
def test_the_right_choice_is_found_neither_by_its_place_nor_by_its_length(course: str) -> None:
    asked = [question for lesson in lessons(course) for question in lesson.questions]
    places = Counter(question.right[0] for question in asked)
    assert max(places.values()) <= len(asked) * 0.4
    longest = sum(
        len(question.choices[question.right[0]])
        > max(len(text) for place, text in enumerate(question.choices) if place != question.right[0])
        for question in asked
    )
    assert longest <= len(asked) * 0.5
    for lesson in lessons(course):
        if len(lesson.questions) >= 3:
            assert len({question.right[0] for question in lesson.questions}) > 1, lesson.path.name


@by_course
def test_no_two_questions_of_a_course_have_the_same_id_or_the_same_words(course: str) -> None:
    asked = [question for lesson in lessons(course) for question in lesson.questions]
    assert max(Counter(question.id for question in asked).values()) == 1
    assert max(Counter(question.text for question in asked).values()) == 1


@by_course
def test_it_says_where_each_fact_stands_and_how_sure_it_is(course: str) -> None:
    sources = (DEMO / course / "SUMBER.md").read_text(encoding="utf-8")
    rows = [line for line in sources.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 10
    for row in rows:
        assert re.search(r"\[A(-law)?\]|dibaca di sumber", row.split("|")[-2]), row
    if course in LAW:
        cited = {
            law.split()[1]
            for lesson in lessons(course)
            for law in CITED.findall(" ".join(lesson.legal_basis))
        }
        for law in cited:
            assert law in sources, f"{law} is taught, and SUMBER.md doesn't say from where"


@by_course
def test_its_table_of_contents_fits_a_slow_line(course: str) -> None:
    manifest = build_pack(DEMO / course, PUBLISHER).envelope
    assert len(packed(manifest)) <= 12 * 1024

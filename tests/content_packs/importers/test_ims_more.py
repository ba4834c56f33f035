"""QTI and Common Cartridges as other makers write them: what they may also say, and what becomes of it."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
from foreign import build, check, damaged, questions
from hypothesis import given
from test_activities import survives
from test_ims import (
    CHOICE,
    MANY,
    NS,
    cc_item,
    condition,
    declared,
    equal,
    item,
    labels,
    package,
    read,
)

from content_packs.errors import PackError
from content_packs.importers import common_cartridge, importer_of, qti
from content_packs.importers.draft import Draft, DraftQuestion
from content_packs.questions import QuestionKind as K

ASSOCIATE: Final = item(
    "pasang",
    declared("A P|M C", "multiple", "pair"),
    '<associateInteraction responseIdentifier="R" maxAssociations="2"><prompt>Siapa bekerja dengan siapa?</prompt>'
    + "".join(
        f'<simpleAssociableChoice identifier="{key}" matchMax="1">{text}</simpleAssociableChoice>'
        for key, text in {"A": "Kades", "C": "Sekdes", "M": "Kaur", "P": "BPD", "X": "Camat"}.items()
    )
    + "</associateInteraction>",
)
PICK: Final = (
    '<choiceInteraction responseIdentifier="R"><prompt>Pilih.</prompt><simpleChoice identifier="A">Satu</simpleChoice>'
    '<simpleChoice identifier="B">Dua</simpleChoice></choiceInteraction>'
)
BLANK: Final = "<p>Isi <textEntryInteraction responseIdentifier='R'/></p>"


def mapping(**worth: float) -> str:
    entries = "".join(f'<mapEntry mapKey="{key}" mappedValue="{points}"/>' for key, points in worth.items())
    return f"<mapping>{entries}</mapping>"


def modal(name: str, text: str, mode: str = "show") -> str:
    return (
        f'<modalFeedback outcomeIdentifier="F" identifier="{name}" showHide="{mode}">{text}</modalFeedback>'
    )


def one(at: Path, text: str, **more: str) -> tuple[DraftQuestion, Draft]:
    draft = read(qti, at, package({"soal/a.xml": text, **more}))
    (question,) = questions(draft)
    return question, draft


def left_out(draft: Draft) -> str:
    return " ".join(draft.report.left_out)


def test_associated_pairs_become_left_and_right(tmp_path: Path) -> None:
    question, draft = one(tmp_path, ASSOCIATE)
    assert (question.kind, question.choices) == (K.MATCHING, ("Kades", "Kaur"))
    assert (question.targets, question.right) == (("BPD", "Sekdes", "Camat"), (0, 1))
    assert any("memasangkan" in said for said in draft.report.changed)


def test_what_is_in_two_pairs_is_left_out(tmp_path: Path) -> None:
    draft = read(
        qti, tmp_path, package({"soal/a.xml": ASSOCIATE.replace("M C", "A C"), "soal/b.xml": CHOICE})
    )
    assert len(questions(draft)) == 1
    assert "bukan tepat satu pasangan" in left_out(draft)


def test_what_is_said_to_a_choice_names_it_and_praise_or_blame_is_not_said_to_everybody(
    tmp_path: Path,
) -> None:
    said = (
        modal("A", "Satu terlalu sedikit.")
        + modal("correct", "Hebat!")
        + modal("solution", "Lihat Pasal 3.")
        + modal("C", "Tidak tampil", "hide")
    )
    question, draft = one(tmp_path, item("x", declared("B"), PICK, said))
    assert "Satu: Satu terlalu sedikit." in question.explanation
    assert "Lihat Pasal 3." in question.explanation
    assert "Hebat" not in question.explanation and "Tidak tampil" not in question.explanation
    assert "tanggapan umumnya" in left_out(draft)


def test_a_block_with_the_solution_explains_and_notes_for_scorers_stay_behind(tmp_path: Path) -> None:
    body = (
        '<rubricBlock view="scorer author"><p>Kunci: Dua</p></rubricBlock><rubricBlock view="candidate"><p>Baca dulu.</p></rubricBlock>'
        f'{PICK}<feedbackBlock outcomeIdentifier="F" identifier="SOLUSI" showHide="show"><p>Sebab dua.</p></feedbackBlock>'
        '<endAttemptInteraction responseIdentifier="S" title="Petunjuk"/>'
    )
    question, draft = one(tmp_path, item("x", declared("B"), body))
    assert "Sebab dua." in question.explanation
    assert "Baca dulu." in question.text and "Sebab" not in question.text and "Kunci" not in question.text
    assert "penilai" in left_out(draft)


@pytest.mark.parametrize(
    ("rule", "accepted"),
    [
        ('<equal toleranceMode="absolute" tolerance="0.5 0.5"/>', ("12,5", "0,5")),
        ('<equal toleranceMode="relative" tolerance="10"/>', ("12,5", "1,25")),
        ('<equalRounded roundingMode="decimalPlaces" figures="1"/>', ("12,5", "0,05")),
        ('<equal toleranceMode="exact"/>', ("12,5", "0")),
        ('<equal toleranceMode="absolute" tolerance="{T}"/>', ("12,5", "0")),
    ],
)
def test_a_number_may_lie_as_far_off_as_its_maker_let_it(
    rule: str, accepted: tuple[str, str], tmp_path: Path
) -> None:
    text = item("x", declared("12.5", base="float"), BLANK).replace(
        "<responseProcessing template='match_correct'/>",
        f"<responseProcessing><responseCondition><responseIf>{rule}</responseIf></responseCondition></responseProcessing>",
    )
    assert one(tmp_path, text)[0].accepted == accepted


def test_typed_answers_that_earn_a_part_are_wrong_and_a_star_is_a_star(tmp_path: Path) -> None:
    text = item("x", declared("", base="string", mapping=mapping(kas=1, bank=0.5, **{"2*3": 1})), BLANK)
    question, draft = one(tmp_path, text)
    assert question.accepted == ("kas", "2*3")
    changed = " ".join(draft.report.changed)
    assert "bernilai sebagian" in changed and "huruf besar dan kecil" in changed


def test_a_picture_as_an_object_is_a_picture(tmp_path: Path) -> None:
    body = f'<p><object type="image/png" data="img/alur.png">Alur kas</object></p>{PICK}'
    question, draft = one(tmp_path, item("x", declared("B"), body))
    assert '<img src="media:alur.png" alt="Alur kas">' in question.text
    assert list(draft.media) == ["alur.png"]


def test_a_passage_of_qti_3_is_read_before_its_question(tmp_path: Path) -> None:
    text = CHOICE.replace(
        "<itemBody>", '<qti-assessment-stimulus-ref identifier="s" href="../baca/a.xml"/><itemBody>'
    )
    passage = '<qti-assessment-stimulus><qti-stimulus-body><p>Cerita desa. <img src="../soal/img/alur.png" alt="x"/></p></qti-stimulus-body></qti-assessment-stimulus>'
    question, _draft = one(tmp_path, text, **{"baca/a.xml": passage})
    assert question.text.startswith("<p>Cerita desa.") and question.text.count("media:alur.png") == 2
    gone = read(qti, tmp_path, package({"soal/a.xml": text}))
    assert "Bacaan soal" in left_out(gone)


def test_questions_that_make_up_their_numbers_or_ask_twice_are_named(tmp_path: Path) -> None:
    varied = item("v", '<templateDeclaration identifier="N"/>' + declared("B"), PICK)
    twice = item("t", declared("B"), PICK + PICK)
    draft = read(qti, tmp_path, package({"soal/v.xml": varied, "soal/t.xml": twice, "soal/a.xml": CHOICE}))
    assert len(questions(draft)) == 1
    assert "choice+template" in left_out(draft) and "choice+choice" in left_out(draft)


def test_sections_of_sections_are_modules_and_what_a_test_demands_is_told(tmp_path: Path) -> None:
    test = f"""<assessmentTest {NS} identifier="t" title="Ujian" xml:lang="en"><timeLimits maxTime="600"/><testPart identifier="p">
<assessmentSection identifier="s" title="Keuangan">
 <assessmentSection identifier="a" title="Kas"><selection select="1"/><rubricBlock view="candidate"><p>Tentang kas.</p></rubricBlock>
  <assessmentItemRef identifier="1" href="../soal/a.xml"/></assessmentSection>
 <assessmentSection identifier="b" title="Bank"><assessmentItemRef identifier="2" href="../soal/b.xml"/></assessmentSection>
</assessmentSection></testPart></assessmentTest>"""
    files = {"tes/t.xml": test, "soal/a.xml": CHOICE, "soal/b.xml": ASSOCIATE}
    draft = read(qti, tmp_path, package(files))
    assert [(one.module, one.title, one.html) for one in draft.lessons] == [
        ("Keuangan", "Kas", "<p>Tentang kas.</p>"),
        ("Keuangan", "Bank", ""),
    ]
    assert draft.language == "en"
    assert "Batas waktu" in left_out(draft)
    assert any("secara acak" in said for said in draft.report.changed)


def test_sections_of_several_tests_are_in_the_module_of_their_test(tmp_path: Path) -> None:
    def test(title: str, path: str) -> str:
        return f'<assessmentTest {NS} title="{title}"><testPart><assessmentSection title="Isi"><assessmentItemRef href="../{path}"/></assessmentSection></testPart></assessmentTest>'

    files = {
        "tes/1.xml": test("Awal", "soal/a.xml"),
        "tes/2.xml": test("Akhir", "soal/b.xml"),
        "soal/a.xml": CHOICE,
        "soal/b.xml": ASSOCIATE,
    }
    draft = read(qti, tmp_path, package(files))
    assert [(one.module, one.title) for one in draft.lessons] == [("Awal", "Isi"), ("Akhir", "Isi")]


def organized(items: str, resources: str, schema: str = "IMS Common Cartridge", root: str = "") -> str:
    return (
        f'<manifest xmlns="http://www.imsglobal.org/xsd/imsccv1p3/imscp_v1p1"><metadata><schema>{schema}</schema></metadata>'
        f'<organizations><organization identifier="o"><item identifier="root">{root}{items}</item></organization></organizations>'
        f"<resources>{resources}</resources></manifest>"
    )


def entry(id_: str, title: str, inner: str = "", **more: str) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<item identifier="i-{title}" identifierref="{id_}"{attributes}><title>{title}</title>{inner}</item>'


def folder(title: str, inner: str) -> str:
    return f'<item identifier="f-{title}"><title>{title}</title>{inner}</item>'


def page(id_: str, path: str, inner: str = "", **more: str) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<resource identifier="{id_}" type="webcontent" href="{path}"{attributes}>{inner}<file href="{path}"/></resource>'


def test_folders_in_folders_keep_their_titles(tmp_path: Path) -> None:
    items = folder("Minggu 1", folder("Hari 1", entry("a", "Pagi")) + entry("b", "Rangkuman"))
    manifest = organized(items, page("a", "a.html") + page("b", "b.html"))
    draft = read(
        common_cartridge,
        tmp_path,
        {"imsmanifest.xml": manifest, "a.html": "<p>A</p>", "b.html": "<p>B</p>"},
    )
    assert [(one.module, one.title) for one in draft.lessons] == [
        ("Minggu 1 / Hari 1", "Pagi"),
        ("Minggu 1", "Rangkuman"),
    ]


def test_a_titled_root_without_folders_is_the_module(tmp_path: Path) -> None:
    manifest = organized(entry("a", "Pagi"), page("a", "a.html"), root="<title>Minggu 1</title>")
    draft = read(common_cartridge, tmp_path, {"imsmanifest.xml": manifest, "a.html": "<p>A</p>"})
    assert [one.module for one in draft.lessons] == ["Minggu 1"]


def test_what_no_item_names_comes_last_and_what_is_for_teachers_or_hidden_does_not(tmp_path: Path) -> None:
    role = "<metadata><lom><educational><intendedEndUserRole><value>Instructor</value></intendedEndUserRole></educational></lom></metadata>"
    manifest = organized(
        folder("Bab", entry("a", "Pagi") + entry("h", "Rahasia", isvisible="false")),
        page("a", "a.html")
        + page("h", "h.html")
        + page("k", "kunci.html", role)
        + page("r", "rencana.html", intendeduse="lessonplan")
        + page("x", "lain.html")
        + page("p", "tak-dipakai.png"),
    )
    texts: dict[str, str | bytes] = {
        f"{name}.html": f"<p>Isi {name}</p>" for name in ("a", "h", "kunci", "rencana", "lain")
    }
    draft = read(
        common_cartridge, tmp_path, {"imsmanifest.xml": manifest, **texts, "tak-dipakai.png": b"png"}
    )
    assert [(one.module, one.title) for one in draft.lessons] == [("Bab", "Pagi"), ("Umum", "lain")]
    assert "bagi pengajar yang tidak dibawa: 2" in left_out(draft)
    assert "disembunyikan pembuatnya dan tidak dibawa: 1" in left_out(draft)
    assert "tidak dipakai materi dan tidak dibawa: 2" in left_out(draft)
    assert any("luar daftar isi" in said for said in draft.report.changed)


THIN: Final = organized(
    entry("l", "Aturan") + entry("t", "Alat"),
    '<resource identifier="l" type="imswl_xmlv1p3"><webLink xmlns="http://www.imsglobal.org/xsd/imsccv1p3/imswl_v1p3"><title>T</title>'
    '<url href=" https://peraturan.go.id/ "/></webLink></resource>'
    '<resource identifier="t" type="imsbasiclti_xmlv1p3"><cartridge_basiclti_link><title>x</title></cartridge_basiclti_link></resource>',
    "IMS Thin Common Cartridge",
)


def test_a_thin_cartridge_has_its_links_in_its_manifest(tmp_path: Path) -> None:
    zipped_draft = read(common_cartridge, tmp_path, {"imsmanifest.xml": THIN})
    alone = tmp_path / "tipis.xml"
    alone.write_text(THIN)
    assert importer_of(alone) is common_cartridge
    for draft in (zipped_draft, check(common_cartridge.read(alone))):
        (law,) = draft.lessons
        assert (law.title, law.html) == ("Aturan", '<p><a href="https://peraturan.go.id/">Aturan</a></p>')
        assert "imsbasiclti" in left_out(draft)


def test_files_of_a_cartridge_are_found_as_makers_write_them(tmp_path: Path) -> None:
    pictures = (
        "$IMS-CC-FILEBASE$/a.png",
        "%24IMS-CC-FILEBASE%24/b%20c.png?canvas_download=1",
        "../g/d.png",
    )
    html = "".join(f'<p>x <img src="{address}" alt="x"></p>' for address in pictures)
    manifest = organized(entry("a", "Pagi"), page("a", "w/a.html"))
    files = {"web_resources/a.png": b"a", "b c.png": b"b", "g/d.png": b"d"}
    # Packed with the folder around them, and written on Windows long ago.
    text = ("<p>caf\u00e9</p>" + html).encode("windows-1252")
    packed = {f"kursus/{name}": content for name, content in {"w/a.html": text, **files}.items()}
    draft = read(common_cartridge, tmp_path, {"kursus/imsmanifest.xml": manifest, **packed})
    assert sorted(draft.media) == ["a.png", "b-c.png", "d.png"]
    assert "caf\u00e9" in draft.lessons[0].html


def test_attachments_of_a_topic_are_shown_under_it(tmp_path: Path) -> None:
    topic = '<topic><title>Bahas</title><text texttype="text/plain">Mengapa 1 &lt; 2?</text><attachments><attachment href="../web_resources/chart.png"/></attachments></topic>'
    manifest = organized(
        entry("d", "Bahas"),
        '<resource identifier="d" type="imsdt_xmlv1p1"><file href="d/d.xml"/></resource>',
    )
    draft = read(
        common_cartridge,
        tmp_path,
        {"imsmanifest.xml": manifest, "d/d.xml": topic, "web_resources/chart.png": b"png"},
    )
    assert "Mengapa 1 &lt; 2?" in draft.lessons[0].html and "media:chart.png" in draft.lessons[0].html


def assessment(*items: str, before: str = "") -> dict[str, str | bytes]:
    limit = "<qtimetadata><qtimetadatafield><fieldlabel>qmd_timelimit</fieldlabel><fieldentry>30</fieldentry></qtimetadatafield></qtimetadata>"
    test = f'<questestinterop><assessment ident="a" title="Ujian">{limit}<section ident="s">{before}{"".join(items)}</section></assessment></questestinterop>'
    manifest = organized(
        "",
        '<resource identifier="q" type="imsqti_xmlv1p2/imscc_xmlv1p1/assessment"><file href="q/q.xml"/></resource>',
    )
    return {"imsmanifest.xml": manifest, "q/q.xml": test, "q/a.png": b"png"}


def feedback(name: str, text: str, kind: str = "flow_mat") -> str:
    return f'<itemfeedback ident="{name}"><{kind}><material><mattext>{text}</mattext></material></{kind}></itemfeedback>'


def test_a_test_that_no_item_names_has_its_own_title_and_says_what_it_cannot_keep(tmp_path: Path) -> None:
    blank = '<response_str ident="R"><render_fib/></response_str>'
    picture = '<material><matimage uri="a.png" label="Alur"/></material>'
    typed = cc_item(
        "fib",
        blank,
        condition(equal("kas")) + condition(equal("2*3"), points=100) + condition(equal("bank"), "fb", 50),
        feedback("fb", "Hampir.") + feedback("general_incorrect_fb", "Sayang sekali."),
    ).replace("<presentation>", f"<presentation>{picture}")
    chosen = cc_item(
        "true_false",
        labels("Single", t="True", f="False"),
        condition(equal("t"), "correct_fb"),
        feedback("correct_fb", "Tepat.") + feedback("sol", "Pasal 1.", "solution"),
    )
    before = "<rubric><material><mattext>Baca dulu.</mattext></material></rubric>"
    draft = read(common_cartridge, tmp_path, assessment(typed, chosen, before=before))
    (lesson,) = draft.lessons
    assert (lesson.title, lesson.html) == ("Ujian", "Baca dulu.")
    written, picked = lesson.questions
    assert written.accepted == ("kas", "2*3") and "media:a.png" in written.text
    assert "bank: Hampir." in written.explanation and "Sayang" not in written.explanation
    assert "True: Tepat." in picked.explanation and "Pasal 1." in picked.explanation
    said = left_out(draft)
    assert "Batas waktu" in said and "tanggapan umumnya (benar, sebagian, salah): 1" in said
    assert len(build(draft, tmp_path / "f").manifest.lessons[0].question_ids) == 2


DEEP: Final = 50_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "inner",
    [
        "simpleChoice",
        "feedbackInline",
        "value",
        "prompt",
        "rubricBlock",
        "object",
        "assessmentSection",
        "p",
    ],
)
def test_elements_by_the_ten_thousand_in_each_other_are_read_in_their_time(
    inner: str, tmp_path: Path
) -> None:
    # Each part of a file is looked at once: by tags, not by the clock.
    nest = f"<{inner}>" * DEEP + f"</{inner}>" * DEEP
    texts = {
        "soal/a.xml": item(
            "x", declared("B"), PICK.replace("</choiceInteraction>", f"{nest}</choiceInteraction>")
        ),
        "soal/b.xml": item("y", declared("B") + nest, nest + PICK),
        "soal/c.xml": CHOICE,
        "tes/t.xml": f"<assessmentTest {NS}><testPart>{nest}</testPart></assessmentTest>",
    }
    path = tmp_path / "dalam.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # packed it would be refused as a bomb
        for name, content in package(texts).items():
            archive.writestr(name, content)
    assert questions(check(qti.read(path)))


@pytest.mark.slow
def test_choices_by_the_ten_thousand_are_read_in_their_time(tmp_path: Path) -> None:
    # Compared with each other they would need hours.
    many = range(100_000)
    keys = "|".join(f"k{number}" for number in many)
    shown = "".join(f'<simpleChoice identifier="k{number}">{number}</simpleChoice>' for number in many)
    picked = f'<choiceInteraction responseIdentifier="R"><prompt>Pilih.</prompt>{shown}</choiceInteraction>'
    worth = mapping(**{f"k{number}": 1 for number in many})
    texts = {
        "soal/a.xml": item("a", declared(keys, "multiple"), picked),
        "soal/b.xml": item("b", declared("k1", mapping=worth), picked),
        "soal/c.xml": CHOICE,
    }
    draft = read(qti, tmp_path, package(texts))
    assert "lebih dari 12 pilihan: 2" in left_out(draft)


@pytest.mark.parametrize(
    ("importer", "text"), [(qti, CHOICE), (common_cartridge, THIN)], ids=["qti", "common_cartridge"]
)
def test_no_damage_of_a_file_that_stands_alone_brings_anything_but_a_refusal_or_a_draft(
    importer: ModuleType, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "satu.xml"

    @MANY
    @given(damaged(text.encode()))
    def holds(data: bytes) -> None:
        path.write_bytes(data)
        importer.recognises(path)
        with suppress(PackError):
            check(importer.read(path))

    holds()


@MANY
@given(damaged(str(package({"soal/a.xml": CHOICE})["imsmanifest.xml"]).encode()))
def test_no_damage_of_a_qti_manifest_brings_anything_but_a_refusal_or_a_draft(
    tmp_path: Path, data: bytes
) -> None:
    survives(qti, tmp_path, {**package({"soal/a.xml": CHOICE}), "imsmanifest.xml": data})


@MANY
@given(damaged(THIN.encode()))
def test_no_damage_of_a_thin_manifest_brings_anything_but_a_refusal_or_a_draft(
    tmp_path: Path, data: bytes
) -> None:
    survives(common_cartridge, tmp_path, {"imsmanifest.xml": data})

"""QTI 2 and 3, and Common Cartridges with their QTI 1.2: questions and pages in the order of their makers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
from foreign import build, check, damaged, questions
from hypothesis import HealthCheck, given, settings
from test_activities import survives, zipped

from content_packs.errors import PackError
from content_packs.importers import common_cartridge, importer_of, qti
from content_packs.importers.draft import Draft
from content_packs.questions import QuestionKind as K

MANY: Final = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
NS: Final = 'xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1"'


def item(id_: str, declared: str, body: str, feedback: str = "") -> str:
    return (
        f'<?xml version="1.0"?><assessmentItem {NS} identifier="{id_}" title="Soal {id_}" adaptive="false">'
        f"{declared}<outcomeDeclaration identifier='SCORE' cardinality='single' baseType='float'/>"
        f"<itemBody>{body}</itemBody><responseProcessing template='match_correct'/>{feedback}</assessmentItem>"
    )


def declared(values: str, cardinality: str = "single", base: str = "identifier", mapping: str = "") -> str:
    correct = "".join(f"<value>{value}</value>" for value in values.split("|") if value)
    return (
        f'<responseDeclaration identifier="R" cardinality="{cardinality}" baseType="{base}">'
        f"<correctResponse>{correct}</correctResponse>{mapping}</responseDeclaration>"
    )


CHOICE: Final = item(
    "pilih",
    declared("B"),
    '<p>Lihat <img src="img/alur.png" alt="alur"/>.</p><choiceInteraction responseIdentifier="R" maxChoices="1">'
    "<prompt>Siapa <b>bendahara</b>?</prompt>"
    '<simpleChoice identifier="A">Camat<feedbackInline identifier="A" outcomeIdentifier="F">Bukan.</feedbackInline></simpleChoice>'
    '<simpleChoice identifier="B">Kaur Keuangan</simpleChoice></choiceInteraction>',
    '<modalFeedback outcomeIdentifier="F" identifier="x" showHide="show">Karena aturan.</modalFeedback>',
)
MULTIPLE: Final = item(
    "banyak",
    declared(
        "",
        "multiple",
        mapping='<mapping><mapEntry mapKey="A" mappedValue="1"/><mapEntry mapKey="B" mappedValue="-1"/><mapEntry mapKey="C" mappedValue="1"/></mapping>',
    ),
    '<choiceInteraction responseIdentifier="R" maxChoices="0"><prompt>Buku apa?</prompt><simpleChoice identifier="A">Kas</simpleChoice>'
    '<simpleChoice identifier="B">Tamu</simpleChoice><simpleChoice identifier="C">Bank</simpleChoice></choiceInteraction>',
)
ORDER: Final = item(
    "urut",
    declared("X|Y", "ordered"),
    '<orderInteraction responseIdentifier="R"><prompt>Urutkan.</prompt><simpleChoice identifier="Y">Bahas</simpleChoice>'
    '<simpleChoice identifier="X">Rancang</simpleChoice></orderInteraction>',
)
MATCH: Final = item(
    "jodoh",
    declared("a 2|b 1", "multiple", "directedPair"),
    '<matchInteraction responseIdentifier="R"><prompt>Pasangkan.</prompt><simpleMatchSet>'
    '<simpleAssociableChoice identifier="a" matchMax="1">RKP</simpleAssociableChoice><simpleAssociableChoice identifier="b" matchMax="1">RPJM</simpleAssociableChoice>'
    '</simpleMatchSet><simpleMatchSet><simpleAssociableChoice identifier="1" matchMax="1">Delapan tahun</simpleAssociableChoice>'
    '<simpleAssociableChoice identifier="2" matchMax="1">Satu tahun</simpleAssociableChoice>'
    '<simpleAssociableChoice identifier="3" matchMax="1">Seabad</simpleAssociableChoice></simpleMatchSet></matchInteraction>',
)
TEXT: Final = item(
    "isian",
    declared(
        "APB Desa", base="string", mapping='<mapping><mapEntry mapKey="APBDes" mappedValue="1"/></mapping>'
    ),
    "<p>Anggaran desa disebut <textEntryInteraction responseIdentifier='R'/>.</p>",
)
NUMBER: Final = item(
    "angka",
    declared("12.5", base="float"),
    "<p>Berapa persen? <textEntryInteraction responseIdentifier='R'/></p>",
)
ESSAY: Final = item("esai", "", "<extendedTextInteraction responseIdentifier='R'/>")
ALL: Final = {
    "pilih": CHOICE,
    "banyak": MULTIPLE,
    "urut": ORDER,
    "jodoh": MATCH,
    "isian": TEXT,
    "angka": NUMBER,
    "esai": ESSAY,
}
TEST: Final = f"""<assessmentTest {NS} identifier="t" title="Ujian"><testPart identifier="p"><assessmentSection identifier="s" title="Bagian satu">
<assessmentItemRef identifier="1" href="../soal/pilih.xml"/><assessmentItemRef identifier="2" href="../soal/hilang.xml"/>
<assessmentSection identifier="s2" title="Bagian dua"><assessmentItemRef identifier="3" href="../soal/angka.xml"/></assessmentSection>
</assessmentSection></testPart></assessmentTest>"""


def package(files: Mapping[str, str | bytes], kind: str = "imsqti_item_xmlv2p1") -> dict[str, str | bytes]:
    resources = "".join(
        f'<resource identifier="r{at}" type="{"imsqti_test_xmlv2p1" if "tes" in name else kind}" href="{name}"><file href="{name}"/></resource>'
        for at, name in enumerate(files)
    )
    manifest = (
        '<manifest xmlns="http://www.imsglobal.org/xsd/imscp_v1p1"><metadata><schema>QTIv2.1 Package</schema></metadata>'
        f"<organizations/><resources>{resources}</resources></manifest>"
    )
    return {"imsmanifest.xml": manifest, **files, "soal/img/alur.png": b"png"}


def read(importer: ModuleType, at: Path, files: Mapping[str, str | bytes]) -> Draft:
    path = at / "paket.zip"
    path.write_bytes(zipped(files))
    assert importer_of(path) is importer
    made: Draft = importer.read(path)
    return check(made)


def test_every_kind_of_qti_question_becomes_ours(tmp_path: Path) -> None:
    draft = read(qti, tmp_path, package({f"soal/{name}.xml": text for name, text in ALL.items()}))
    pick, many, order, match, text, number = questions(draft)
    assert (pick.kind, pick.right, pick.choices) == (K.CHOICE, (1,), ("Camat", "Kaur Keuangan"))
    assert 'src="media:alur.png"' in pick.text and "<b>bendahara</b>" in pick.text
    assert "Karena aturan." in pick.explanation and "Bukan." in pick.explanation
    assert (many.kind, many.right) == (K.MULTIPLE, (0, 2))
    assert (order.kind, order.choices) == (K.ORDERING, ("Rancang", "Bahas"))
    assert (match.choices, match.targets, match.right) == (
        ("RKP", "RPJM"),
        ("Satu tahun", "Delapan tahun", "Seabad"),
        (0, 1),
    )
    assert (text.accepted, text.text) == (("APB Desa", "APBDes"), "Anggaran desa disebut _____.")
    assert number.accepted == ("12,5", "0")
    assert any("extendedtext" in said for said in draft.report.left_out)
    assert len(build(draft, tmp_path / "f").manifest.lessons[0].question_ids) == 6


def test_sections_of_a_test_become_lessons_and_what_no_test_has_follows(tmp_path: Path) -> None:
    files = {f"soal/{name}.xml": text for name, text in ALL.items()}
    draft = read(qti, tmp_path, package({"tes/ujian.xml": TEST, **files}))
    assert [(lesson.title, len(lesson.questions)) for lesson in draft.lessons] == [
        ("Bagian satu", 1),
        ("Bagian dua", 1),
        ("paket", 4),
    ]
    assert any("berkasnya tidak ada" in said for said in draft.report.left_out)


def test_qti_3_says_the_same_in_other_names(tmp_path: Path) -> None:
    import re

    def renamed(found: re.Match[str]) -> str:
        hyphens = re.sub(r"(?<=[a-z])([A-Z])", r"-\1", found[2]).lower()
        plain = found[2] in ("p", "b", "img", "value")
        return f"{found[1]}{'' if plain and found[2] != 'value' else 'qti-'}{hyphens}"

    text = re.sub(r"(</?)([A-Za-z]+)", renamed, CHOICE.replace('<?xml version="1.0"?>', ""))
    text = re.sub(r" ([a-z]+)([A-Z])([a-zA-Z]*)=", lambda m: f" {m[1]}-{m[2].lower()}{m[3].lower()}=", text)
    assert "qti-choice-interaction" in text and "response-identifier" in text
    draft = read(qti, tmp_path, package({"soal/a.xml": text}, "imsqti_item_xmlv3p0"))
    (question,) = questions(draft)
    assert (question.right, question.choices) == ((1,), ("Camat", "Kaur Keuangan"))


def test_a_single_item_is_a_course_of_one_question(tmp_path: Path) -> None:
    path = tmp_path / "soal.xml"
    path.write_text(CHOICE)
    assert importer_of(path) is qti
    draft = check(qti.read(path))
    assert len(questions(draft)) == 1
    assert any(
        "tidak ada dalam sumbernya" in said or "tidak dibawa" in said for said in draft.report.left_out
    )


def cc_item(profile: str, response: str, processing: str, feedback: str = "") -> str:
    return (
        f'<item ident="{profile}" title="{profile}"><itemmetadata><qtimetadata><qtimetadatafield><fieldlabel>cc_profile</fieldlabel>'
        f"<fieldentry>cc.{profile}.v0p1</fieldentry></qtimetadatafield></qtimetadata></itemmetadata>"
        f'<presentation><material><mattext texttype="text/html">&lt;p&gt;Tanya {profile}?&lt;/p&gt;</mattext></material>{response}</presentation>'
        f"<resprocessing>{processing}</resprocessing>{feedback}</item>"
    )


def labels(cardinality: str, **texts: str) -> str:
    made = "".join(
        f'<response_label ident="{key}"><material><mattext>{text}</mattext></material></response_label>'
        for key, text in texts.items()
    )
    return f'<response_lid ident="R" rcardinality="{cardinality}"><render_choice>{made}</render_choice></response_lid>'


def condition(inner: str, linked: str = "", points: int = 100) -> str:
    link = f'<displayfeedback feedbacktype="Response" linkrefid="{linked}"/>' if linked else ""
    score = f'<setvar varname="SCORE" action="Set">{points}</setvar>' if points else ""
    return f"<respcondition><conditionvar>{inner}</conditionvar>{score}{link}</respcondition>"


def equal(value: str) -> str:
    return f'<varequal respident="R">{value}</varequal>'


QTI12: Final = (
    '<questestinterop xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2"><assessment ident="a" title="Ujian"><section ident="s">'
    + cc_item(
        "multiple_choice",
        labels("Single", a="Camat", b="Kaur"),
        condition(equal("a"), "fa", 0) + condition(equal("b")),
        '<itemfeedback ident="fa"><flow_mat><material><mattext>Bukan camat.</mattext></material></flow_mat></itemfeedback>'
        '<itemfeedback ident="general_fb"><flow_mat><material><mattext>Lihat aturan.</mattext></material></flow_mat></itemfeedback>',
    )
    + cc_item(
        "multiple_response",
        labels("Multiple", a="Kas", b="Tamu", c="Bank"),
        condition(f"<and>{equal('a')}<not>{equal('b')}</not>{equal('c')}</and>"),
    )
    + cc_item("fib", '<response_str ident="R"><render_fib/></response_str>', condition(equal("APBDes")))
    + cc_item("essay", '<response_str ident="R"><render_fib/></response_str>', "")
    + "</section></assessment></questestinterop>"
)
CARTRIDGE: Final[dict[str, str | bytes]] = {
    "imsmanifest.xml": """<manifest xmlns="http://www.imsglobal.org/xsd/imsccv1p3/imscp_v1p1" xmlns:lom="http://ltsc.ieee.org/xsd/imsccv1p3/LOM/manifest">
<metadata><schema>IMS Common Cartridge</schema><schemaversion>1.3.0</schemaversion><lom:lom><lom:general><lom:title><lom:string language="en">Village cash</lom:string></lom:title>
<lom:language>en</lom:language></lom:general></lom:lom></metadata>
<organizations><organization identifier="o" structure="rooted-hierarchy"><item identifier="root">
<item identifier="m1"><title>Week one</title>
<item identifier="i1" identifierref="p"><title>Reading</title></item><item identifier="i2" identifierref="l"><title>Law</title></item>
<item identifier="i3" identifierref="d"><title>Talk</title></item><item identifier="i4" identifierref="q"><title>Quiz</title></item>
<item identifier="i5" identifierref="t"><title>Tool</title></item><item identifier="i6" identifierref="f"><title>Chart</title></item></item>
</item></organization></organizations><resources>
<resource identifier="p" type="webcontent" href="web_resources/a.html"><file href="web_resources/a.html"/></resource>
<resource identifier="l" type="imswl_xmlv1p3"><file href="l.xml"/></resource>
<resource identifier="d" type="imsdt_xmlv1p3"><file href="d.xml"/></resource>
<resource identifier="q" type="imsqti_xmlv1p2/imscc_xmlv1p3/assessment"><file href="q/q.xml"/></resource>
<resource identifier="b" type="imsqti_xmlv1p2/imscc_xmlv1p3/question-bank"><file href="bank.xml"/></resource>
<resource identifier="t" type="imsbasiclti_xmlv1p3"><file href="t.xml"/></resource>
<resource identifier="f" type="webcontent" href="web_resources/chart.png"><file href="web_resources/chart.png"/></resource>
</resources></manifest>""",
    "web_resources/a.html": "<h1>Cash</h1><p>Daily. <img src='$IMS-CC-FILEBASE$/chart.png' alt='Chart'></p>",
    "web_resources/chart.png": b"png",
    "l.xml": '<webLink xmlns="http://www.imsglobal.org/xsd/imsccv1p3/imswl_v1p3"><title>Law</title><url href="https://peraturan.go.id/"/></webLink>',
    "d.xml": '<topic xmlns="http://www.imsglobal.org/xsd/imsccv1p3/imsdt_v1p3"><title>Talk</title><text texttype="text/html">&lt;p&gt;Why daily?&lt;/p&gt;</text></topic>',
    "q/q.xml": QTI12,
    "bank.xml": QTI12.replace("<assessment", "<objectbank").replace("</assessment", "</objectbank"),
    "t.xml": "<x/>",
}


def test_a_cartridge_becomes_a_course_in_its_order(tmp_path: Path) -> None:
    draft = read(common_cartridge, tmp_path, CARTRIDGE)
    assert (draft.title, draft.language) == ("Village cash", "en")
    titles = [lesson.title for lesson in draft.lessons]
    assert titles == ["Reading", "Law", "Talk", "Quiz", "Chart", "bank"]
    assert {lesson.module for lesson in draft.lessons[:5]} == {"Week one"}
    reading, law, talk, quiz, chart, _bank = draft.lessons
    assert 'src="media:chart.png"' in reading.html and 'src="media:chart.png"' in chart.html
    assert 'href="https://peraturan.go.id/"' in law.html and "Why daily?" in talk.html
    one, several, blank = quiz.questions
    assert (one.choices, one.right) == (("Camat", "Kaur"), (1,))
    assert "Lihat aturan." in one.explanation and "Bukan camat." in one.explanation
    assert (several.kind, several.right) == (K.MULTIPLE, (0, 2))
    assert (blank.kind, blank.accepted) == (K.TEXT, ("APBDes",))
    left_out = " ".join(draft.report.left_out)
    assert "imsbasiclti" in left_out and "essay" in left_out
    assert len(build(draft, tmp_path / "f").manifest.lessons) == 6


@pytest.mark.parametrize(
    ("importer", "files"), [(qti, package({"soal/a.xml": CHOICE})), (common_cartridge, CARTRIDGE)]
)
def test_what_is_something_else_is_refused(
    importer: ModuleType, files: Mapping[str, str | bytes], tmp_path: Path
) -> None:
    path = tmp_path / "a.zip"
    for made in ({"x": "y"}, {"imsmanifest.xml": "<x/>"}, {"imsmanifest.xml": files["imsmanifest.xml"]}):
        path.write_bytes(zipped(made))
        with pytest.raises(PackError):
            importer.read(path)


@pytest.mark.slow
def test_nested_items_by_the_hundred_thousand_are_read_in_their_time(tmp_path: Path) -> None:
    # Each part of a file is looked at once: by tags, not by the clock.
    deep = "<item>" * 50_000 + "</item>" * 50_000
    survives(
        common_cartridge, tmp_path, {**CARTRIDGE, "q/q.xml": f"<questestinterop>{deep}</questestinterop>"}
    )


@MANY
@given(damaged("".join(ALL.values()).encode()[:20_000]))
def test_no_damage_of_an_item_brings_anything_but_a_refusal_or_a_draft(tmp_path: Path, data: bytes) -> None:
    survives(qti, tmp_path, package({"soal/a.xml": data, "soal/b.xml": MATCH}))


@MANY
@given(damaged(MATCH.encode()))
def test_no_damage_of_pairs_brings_anything_but_a_refusal_or_a_draft(tmp_path: Path, data: bytes) -> None:
    survives(qti, tmp_path, package({"soal/a.xml": data, "soal/b.xml": CHOICE}))


@MANY
@given(damaged(QTI12.encode()))
def test_no_damage_of_a_test_brings_anything_but_a_refusal_or_a_draft(tmp_path: Path, data: bytes) -> None:
    survives(common_cartridge, tmp_path, {**CARTRIDGE, "q/q.xml": data})


@MANY
@given(damaged(str(CARTRIDGE["imsmanifest.xml"]).encode()))
def test_no_damage_of_a_manifest_brings_anything_but_a_refusal_or_a_draft(
    tmp_path: Path, data: bytes
) -> None:
    survives(common_cartridge, tmp_path, {**CARTRIDGE, "imsmanifest.xml": data})

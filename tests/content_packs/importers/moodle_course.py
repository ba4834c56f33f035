"""A small Moodle course as Moodle 4 backs it up, with people in it who must never leave it. `old` writes it as Moodle 3 did."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from html import escape
from typing import Final

PERSON: Final = "Siti Rahasia"
EMAIL: Final = "siti.rahasia@contoh.desa.id"
NULL: Final = "$@NULL@$"
HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
PNG: Final = b"\x89PNG\r\n\x1a\nbukan gambar sungguhan"
VTT: Final = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHalo\n"


def zipped(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return made.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as opened:
        for name, content in {".ARCHIVE_INDEX": b"Moodle archive file index.", **files}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            opened.addfile(info, io.BytesIO(content))
    return made.getvalue()


@dataclass
class Course:
    """Collects the files of a backup."""

    files: dict[str, bytes] = field(default_factory=dict)
    activities: list[tuple[int, int, str, str]] = field(default_factory=list)
    sections: dict[int, tuple[str, str]] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)

    def section(self, number: int, name: str, summary: str = "", visible: int = 1) -> None:
        self.sections[number] = (name, summary)
        ids = ",".join(
            str(module) for module, section, _kind, _name in self.activities if section == number
        )
        self.add(
            f"sections/section_{number}/section.xml",
            f'<section id="{number}"><number>{number}</number><name>{escape(name) or NULL}</name>'
            f"<summary>{escape(summary)}</summary><summaryformat>1</summaryformat>"
            f"<sequence>{ids}</sequence><visible>{visible}</visible></section>",
        )

    def activity(
        self, section: int, kind: str, name: str, body: str = "", intro: str = "", settings: str = ""
    ) -> int:
        """Add one; returns its number, which is that of its context too."""
        module = len(self.activities) + 1
        self.activities.append((module, section, kind, name))
        folder = f"activities/{kind}_{module}"
        self.add(
            f"{folder}/{kind}.xml",
            f'<activity id="{module}" moduleid="{module}" modulename="{kind}" contextid="{module}">'
            f'<{kind} id="{module}"><name>{escape(name)}</name><intro>{escape(intro)}</intro>'
            f"<introformat>1</introformat>{body}</{kind}></activity>",
        )
        self.add(
            f"{folder}/module.xml",
            f'<module id="{module}"><modulename>{kind}</modulename><sectionid>{section}</sectionid>'
            f"{settings or '<visible>1</visible>'}</module>",
        )
        return module

    def store(
        self,
        component: str,
        area: str,
        name: str,
        content: bytes,
        context: int = 0,
        item: int = 0,
        path: str = "/",
    ) -> None:
        digest = sha1(content).hexdigest()
        self.files[f"files/{digest[:2]}/{digest}"] = content
        self.stored.append(
            f'<file id="{len(self.stored)}"><contenthash>{digest}</contenthash><contextid>{context}</contextid>'
            f"<component>{component}</component><filearea>{area}</filearea><itemid>{item}</itemid>"
            f"<filepath>{path}</filepath><filename>{escape(name)}</filename><userid>7</userid>"
            f"<filesize>{len(content)}</filesize><mimetype>{NULL}</mimetype><author>{PERSON}</author></file>"
        )

    def add(self, name: str, xml: str) -> None:
        self.files[name] = (HEAD + xml).encode()

    def finished(self, kind: str = "course") -> dict[str, bytes]:
        """The files of the backup, with those about people."""
        activities = "".join(
            f"<activity><moduleid>{module}</moduleid><sectionid>{section}</sectionid><modulename>{kind}</modulename>"
            f"<title>{escape(name)}</title><directory>activities/{kind}_{module}</directory></activity>"
            for module, section, kind, name in self.activities
        )
        sections = "".join(
            f"<section><sectionid>{number}</sectionid><title>{number}</title>"
            f"<directory>sections/section_{number}</directory></section>"
            for number in self.sections
        )
        self.add(
            "moodle_backup.xml",
            "<moodle_backup><information><original_course_fullname>Kas Desa</original_course_fullname>"
            f"<details><detail><type>{kind}</type></detail></details><contents><activities>{activities}</activities>"
            f"<sections>{sections}</sections></contents></information></moodle_backup>",
        )
        self.add(
            "course/course.xml",
            '<course id="2" contextid="99"><shortname>KAS-1</shortname><fullname>Kas Desa</fullname>'
            "<summary>&lt;p&gt;Untuk &lt;b&gt;bendahara&lt;/b&gt;&lt;/p&gt;</summary><lang>id</lang></course>",
        )
        self.add("files.xml", f"<files>{''.join(self.stored)}</files>")
        self.add(
            "users.xml",
            f"<users><user id='7'><username>{PERSON}</username><email>{EMAIL}</email></user></users>",
        )
        self.add("gradebook.xml", "<gradebook/>")
        self.add("course/blocks/html_1/block.xml", "<block/>")
        return self.files


def bank_question(id_: int, kind: str, plugin: str, html: str = "<p>Apa?</p>", more: str = "") -> str:
    return (
        f'<question id="{id_}"><parent>0</parent><name>Soal {id_}</name><questiontext>{escape(html)}</questiontext>'
        "<questiontextformat>1</questiontextformat><generalfeedback></generalfeedback>"
        f"<defaultmark>1.0000000</defaultmark><qtype>{kind}</qtype><createdby>{PERSON}</createdby>{more}"
        f"<plugin_qtype_{kind}_question>{plugin}</plugin_qtype_{kind}_question></question>"
    )


def bank_answers(*answers: tuple[str, float]) -> str:
    return (
        "<answers>"
        + "".join(
            f'<answer id="{number}"><answertext>{escape(text)}</answertext><answerformat>1</answerformat>'
            f"<fraction>{fraction:.7f}</fraction><feedback></feedback><feedbackformat>1</feedbackformat></answer>"
            for number, (text, fraction) in enumerate(answers, start=1)
        )
        + "</answers>"
    )


CHOICE: Final = bank_answers(("<p>ya</p>", 1), ("<p>tidak</p>", 0)) + (
    '<multichoice id="1"><single>1</single><correctfeedback>Bagus</correctfeedback></multichoice>'
)
TRUE: Final = bank_answers(("Salah", 0), ("Benar", 1)) + (
    "<truefalse id='1'><trueanswer>2</trueanswer><falseanswer>1</falseanswer></truefalse>"
)
NUMBER: Final = bank_answers(("2.5", 1)) + (
    "<numerical_units/><numerical_records><numerical_record id='1'><answer>1</answer><tolerance>0.25</tolerance>"
    "</numerical_record></numerical_records>"
)
MATCH: Final = "<matchoptions/><matches>" + "".join(
    f"<match id='{number}'><questiontext>{stem}</questiontext><questiontextformat>1</questiontextformat>"
    f"<answertext>{target}</answertext></match>"
    for number, (stem, target) in enumerate([("RKP", "satu tahun"), ("RPJM", "delapan tahun")])
) + "</matches>"  # fmt: skip
SHORT: Final = bank_answers(("APB Desa", 1)) + "<shortanswer id='1'><usecase>0</usecase></shortanswer>"
ORDER: Final = (
    bank_answers(("kedua", 2), ("pertama", 1)) + "<ordering id='1'><selecttype>0</selecttype></ordering>"
)
QUESTIONS: Final = {
    10: ("multichoice", CHOICE),
    11: ("truefalse", TRUE),
    12: ("numerical", NUMBER),
    13: ("match", MATCH),
    14: ("shortanswer", SHORT),
    15: ("ordering", ORDER),
    16: ("description", ""),
    17: ("essay", ""),
}


def bank(old: bool, extra: str = "") -> str:
    """The question bank: two versions of the first question, one question that no quiz uses."""
    every = {id_: bank_question(id_, kind, plugin) for id_, (kind, plugin) in QUESTIONS.items()}
    spare = bank_question(18, "truefalse", TRUE)
    if old:
        listed = "".join([*every.values(), spare])
        return f'<question_category id="5"><parent>0</parent><questions>{listed}{extra}</questions></question_category>'
    former = bank_question(9, "multichoice", CHOICE, "<p>Dulu?</p>")
    draft = bank_question(8, "multichoice", CHOICE, "<p>Belum jadi?</p>")
    entries = "".join(
        f'<question_bank_entry id="{id_ + 100}"><question_version>'
        + "".join(
            f'<question_versions id="{number}"><version>{number}</version><status>{status}</status>'
            f"<questions>{one}</questions></question_versions>"
            for number, (one, status) in enumerate(
                [(former, "ready"), (xml, "ready"), (draft, "draft")] if id_ == 10 else [(xml, "ready")],
                start=1,
            )
        )
        + "</question_version></question_bank_entry>"
        for id_, xml in {**every, 18: spare}.items()
    )
    return (
        '<question_category id="5"><parent>0</parent><question_bank_entries>'
        f"{entries}{extra}</question_bank_entries></question_category>"
    )


def quiz_body(old: bool, *places: str, time_limit: int = 0) -> str:
    """A quiz with its questions in their order, which isn't that of the file; and somebody's attempt."""
    ids = list(QUESTIONS)
    instances = [
        f"<question_instance id='{id_}'><slot>{slot}</slot>"
        + (
            f"<questionid>{id_}</questionid>"
            if old
            else f"<question_reference id='1'><questionbankentryid>{id_ + 100}</questionbankentryid>"
            f"<version>{NULL}</version></question_reference>"
        )
        + "</question_instance>"
        for slot, id_ in enumerate(ids, start=1)
    ]
    return (
        f"<timelimit>{time_limit}</timelimit><attempts_number>2</attempts_number><question_instances>"
        f"{''.join(reversed(instances))}{''.join(places)}</question_instances>"
        f"<attempts><attempt id='1'><userid>7</userid><sumgrades>9</sumgrades><note>{PERSON}</note></attempt></attempts>"
    )


def grades(passing: float) -> str:
    return (
        "<activity_gradebook><grade_items><grade_item id='1'><grademax>10.00000</grademax>"
        f"<gradepass>{passing:.5f}</gradepass><grade_grades><grade_grade><userid>7</userid><feedback>{PERSON}"
        "</feedback></grade_grade></grade_grades></grade_item></grade_items></activity_gradebook>"
    )

"""Lists and lines: rosters as CSV and XLSX, the list of regions, activity, and what players in a browser say."""

from __future__ import annotations

import io
import tempfile
import zipfile

from hub import rosters
from node import outcomes
from node.activity import read_line
from node.outcomes import OutcomeError
from node.sealed_copy import SECRET_SIZE, sealed, secret_of, unsealed, words_of
from sync.errors import LontarError, SyncError
from web import tables

from ..target import target
from .seeds import folded, unfolded, zipped

PEOPLE = "Kode desa;Nama;Jabatan\n17.05.10.2007;Siti Aminah, S.Pd.;Kaur Keuangan\n1705102008;Budi;\n"


def _rows(data: bytes) -> None:
    rows = rosters.read(tables.read_table(data, rosters.ROWS_MOST))
    judged = rosters.judged(rows, frozenset({"17.05.10.2007"}), {})
    rosters.as_text(judged)


@target("roster", lambda: [PEOPLE.encode(), PEOPLE.replace(";", "\t").encode("utf-16")], tables.TableError)
def read_roster(data: bytes) -> None:
    _rows(data)


def _workbook() -> bytes:
    return tables.as_workbook(
        "Peserta", rosters.HEADINGS, [("17.05.10.2007", "Siti", "Kaur")], (20, 20, 20)
    )


def _sheets() -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(_workbook())) as book:
        return [folded({name: book.read(name) for name in book.namelist()})]


@target("roster-workbook", _sheets, tables.TableError)
def read_workbook(data: bytes) -> None:
    _rows(zipped(unfolded(data)))


LINE = (
    b'{"id":"00112233445566778899aabbccddeeff","at":"2026-03-02T01:00:00Z","learner":"a","course":"k","lesson":"m",'
    b'"kind":"answer_given","item":1,"choice":2,"correct":true,"seconds":3,"score":50.5,"progress":0.5}'
)


@target("activity", lambda: [LINE], LontarError)
def read_activity(data: bytes) -> None:
    line = read_line(data, 1)
    int(line.at.timestamp() * 1000)


@target("recovery-words", lambda: [" ".join(words_of(bytes(range(SECRET_SIZE)))).encode()], SyncError)
def read_words(data: bytes) -> None:
    secret_of(data.decode("utf-8", "replace"))


SECRET = bytes(range(SECRET_SIZE))


@target("sealed-copy", lambda: [b"".join(sealed(SECRET, bytes(16), [b"satu", b"dua"]))], LontarError)
def read_sealed_copy(data: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        for _piece in unsealed(SECRET, file):
            pass


STATEMENT = (
    b'{"verb":{"id":"http://adlnet.gov/expapi/verbs/answered"},"object":{"id":"https://x/1"},'
    b'"result":{"score":{"scaled":0.5},"success":true,"response":"a","completion":true}}'
)
SPOKEN = [
    STATEMENT,
    b"[" + STATEMENT + b"]",
    b'{"statement":' + STATEMENT + b',"state":"{}"}',
    b'{"cmi":{"cmi.core.lesson_status":"passed","cmi.core.score.raw":"80","cmi.suspend_data":"x"},"score":0.8}',
]


@target("player-outcome", lambda: SPOKEN, OutcomeError)
def read_outcome(data: bytes) -> None:
    """What SCORM, H5P and cmi5 content in a learner's browser says came of it."""
    for read in (_of_scorm, outcomes.of_h5p, _of_statements):
        try:
            read(data)
        except OutcomeError:
            continue


def _of_scorm(data: bytes) -> None:
    outcomes.of_scorm(data, True)


def _of_statements(data: bytes) -> None:
    for statement in outcomes.decoded_statements(data):
        outcomes.of_statement(statement)

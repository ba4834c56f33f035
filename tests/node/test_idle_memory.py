"""What an idle laptop holds: libraries that serve rare moments are not loaded before these."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from test_power import free_port
from village import made_village

from node.wiring import open_node

RARE = (
    "PIL",
    "alembic",
    "asyncio",
    "defusedxml",
    "fontTools",
    "fpdf",
    "hub",
    "markdown_it",
    "multiprocessing",
    "node.autostart",
    "node.multicast",
    "numpy",
    "openpyxl",
    "requests",
    "rich",
    "segno",
    "sqlalchemy",
    "sqlite_utils",
    "xml.etree",
    "zeroconf",
    "zxingcpp",
)
_SERVED = """
import sys
from pathlib import Path
import node.cli
from node.running import running

with running(Path(sys.argv[1]), "127.0.0.1", int(sys.argv[2]), None) as served:
    assert served.port
    served._door.leads_to.test_client().get("/", base_url="http://localhost")
    print(*sys.modules)
"""


def test_a_laptop_that_does_not_know_its_centre_yet_loads_nothing_that_is_rare(tmp_path: Path) -> None:
    made_village(tmp_path / "desa").close()
    # The first opening compares the tables with new ones, which takes sqlite-utils.
    open_node(tmp_path / "desa" / "data").close()
    ran = subprocess.run(
        [sys.executable, "-c", _SERVED, str(tmp_path / "desa" / "data"), str(free_port())],
        check=True,
        capture_output=True,
        text=True,
    )
    assert sorted(set(RARE) & set(ran.stdout.split())) == []


def test_names_of_languages_and_units_are_let_go_of_while_dates_and_numbers_stay() -> None:
    code = (
        "from flask import Flask; from web.app import prepare; from babel.localedata import load\n"
        "app = Flask('x'); app.secret_key = 'x'; prepare(app)\n"
        "from web.dates import day, number\n"
        "with app.test_request_context(): print(day('2026-08-17'), number(1234.5))\n"
        "assert not {'unit_patterns', 'languages'} & load('id').keys()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "17 Agustus 2026 1.234,5"

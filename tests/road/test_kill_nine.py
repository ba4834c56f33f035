"""Power cuts, as far as a process can feel them: kill -9 of node and hub, and nothing acknowledged is lost.

A checker outside both holds the list of what people were told is saved.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from roadside import Road

from bench import world
from node.wiring import open_node
from sync.entries import QuestionAnswered
from sync.segment import open_segment

_WRITER = """
import sys
from pathlib import Path
from node.wiring import open_node
from sync.entries import QuestionAnswered
node = open_node(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    node.recorder.record(QuestionAnswered(0, 0, 1, 1 + number % 10, number % 4, True, number))
    print(number, flush=True)
    if number % 37 == 0:
        node.recorder.seal()
"""


def answers_in(folder: Path) -> list[int]:
    """The running numbers of all answers in a node's log, sealed or not, in order."""
    node = open_node(folder)
    node.recorder.seal()
    with node.store.read() as db:
        rows = db.execute("SELECT data FROM segments ORDER BY log, idx").fetchall()
    entries = [entry for (data,) in rows for entry in open_segment(data).read().entries()]
    assert [entry.seq for entry in entries] == list(range(len(entries)))
    node.close()
    return [int(entry.fields[6]) for entry in entries if entry.kind == QuestionAnswered.number]


def test_a_node_killed_while_recording_keeps_every_acknowledged_answer(road: Road) -> None:
    node = road.node()
    node.recorder.add_learner("Siti", "Kaur Keuangan")
    node.close()
    rng, told = random.Random(9), 0
    for _ in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(road.folder / "node"), str(told)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        for _ in range(rng.randint(5, 120)):
            told = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split()
        told = int(rest[-1]) if rest else told
        writer.wait()
        kept = answers_in(road.folder / "node")
        assert kept[:told] == list(range(1, told + 1))
        told = kept[-1]


@pytest.mark.slow
def test_hub_and_node_killed_during_syncs_lose_nothing_and_count_nothing_twice(road: Road) -> None:
    node = road.node()
    with road.serving():
        world.register(road.hub, node)
    node.close()
    rng = random.Random(5)
    for round_ in range(10):
        node = open_node(road.folder / "node")
        world.play(node, world.workload_lines(1, 300, skip=300 * round_))
        node.close()
        with road.serving() as hub_process:
            syncing = subprocess.Popen(
                [sys.executable, "-m", "lontar", "sync", "--data", str(road.folder / "node")],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(rng.uniform(0.3, 1.2))
            victim = rng.choice(["hub", "node", "both"])
            if victim in ("node", "both"):
                syncing.kill()
            if victim in ("hub", "both"):
                _kill_group(hub_process.pid)
            syncing.wait()
    with road.serving():
        node = open_node(road.folder / "node")
        node.worker.exchange()
        counts = node.recorder.counts()
        assert counts.saved == counts.confirmed >= 3000
        node.close()
    subprocess.run(
        [sys.executable, "-m", "lontar", "hub", "rebuild", "--data", str(road.folder / "hub")],
        check=True,
        capture_output=True,
    )
    from test_the_way_of_an_answer import entries_at, entries_on

    node = open_node(road.folder / "node")
    assert entries_at(road.hub, node) == entries_on(node)
    node.close()


def _kill_group(pid: int) -> None:
    """gunicorn's master and its workers, all at once."""
    import psutil

    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, 10)


def test_an_answer_given_in_a_browser_survives_kill_nine(road: Road) -> None:
    """Over HTTP, as a phone on the hotspot does it: what the page called saved is there afterwards."""
    node = road.node()
    node.recorder.add_learner("Siti", "Kaur Keuangan")
    node.close()
    port = world.free_port()
    command = ["node", "serve", "--data", str(road.folder / "node"), "--port", str(port), "--no-sync"]
    url = f"http://127.0.0.1:{port}"
    with world.serving(command, url) as process:
        browser = requests.Session()

        def token(path: str) -> str:
            found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(url + path).text)
            assert found, path
            return found[1]

        browser.post(
            url + "/masuk/0", data={"pin": "482913", "again": "482913", "csrf_token": token("/masuk/0")}
        )
        question = "/pelatihan/0/materi/1/kuis/1"
        page = browser.post(url + question, data={"choice": "2", "csrf_token": token(question)})
        assert page.status_code == 200
        assert "tersimpan di perangkat ini" in page.text.lower()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    node = open_node(road.folder / "node")
    assert node.learning.open_answers(0, 0, 1) == {1: "2"}
    node.close()

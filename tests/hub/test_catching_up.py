"""What was left undone because a process was killed is found again, though the device sends nothing more."""

from __future__ import annotations

import time
from pathlib import Path

from device import Device
from sqlalchemy import func, select
from test_certificate_rules import known_course

from hub import schema
from hub.catching_up import catch_up
from hub.db import reading
from hub.merge import merge_log
from hub.wiring import Hub, application, now_ms
from sync.entries import CourseCompleted, PackInstalled


def certificates(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return connection.execute(select(func.count()).select_from(schema.certificates)).scalar_one()


def device_that_completed(hub: Hub, folder: Path) -> Device:
    key, manifest_hash = known_course(hub, folder)
    device = Device(1).open(1).registered(hub)
    device.seal(PackInstalled(key, manifest_hash, 1))
    device.seal(CourseCompleted(0, 1, 2))
    return device


def test_what_was_stored_and_never_merged_is_merged(hub: Hub, tmp_path: Path) -> None:
    device = device_that_completed(hub, tmp_path / "course")
    device.send(hub, merged=False)
    assert certificates(hub) == 0
    assert catch_up(hub.engine, hub.config, now_ms(), now_ms()) == 1
    assert certificates(hub) == 1
    assert catch_up(hub.engine, hub.config, 0, now_ms()) == 0
    assert certificates(hub) == 1


def test_a_certificate_that_was_due_when_the_process_ended_is_issued(hub: Hub, tmp_path: Path) -> None:
    device = device_that_completed(hub, tmp_path / "course")
    before = now_ms()
    device.send(hub, merged=False)
    with reading(hub.engine) as connection:
        (log,) = connection.execute(select(schema.logs.c.pk)).scalars()
    merge_log(hub.engine, log)
    assert catch_up(hub.engine, hub.config, before, now_ms()) == 0
    assert certificates(hub) == 1


def test_a_worker_that_starts_finishes_what_another_one_left(hub: Hub, tmp_path: Path) -> None:
    device_that_completed(hub, tmp_path / "course").send(hub, merged=False)
    application(str(hub.config.data))
    until = time.monotonic() + 30
    while certificates(hub) == 0 and time.monotonic() < until:
        time.sleep(0.05)
    assert certificates(hub) == 1

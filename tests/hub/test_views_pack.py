"""The centre's pages of a pack: brought, looked at, given out in stages, seen where it is."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from carried import let_in
from device import Device
from state import said
from test_packs_hub import FAR, NEAR, publisher
from test_pages import browser, token
from werkzeug.test import TestResponse

from content_packs.build import build_pack
from hub import packs
from hub.wiring import Hub
from sync.decisions import PackPublished
from sync.entries import PackInstalled
from sync.keys import SigningKey

LESSON = """+++
id = "kas"
title = "Kas & buku"
minutes = 5
+++
Catat **setiap hari**. ![Alur](alur.svg)

## [satu] Kapan?
- [x] Hari ini
- [ ] Besok
> Supaya ingat.

## [bagian|angka] Berapa?
- [x] 12,5 ± 0,5
"""


def built(hub: Hub, folder: Path, version: int = 1, text: str = LESSON) -> bytes:
    folder.mkdir()
    (folder / "course.toml").write_text(f'id = "kas"\ntitle = "Kas"\nversion = {version}\ngeneral = true\n')
    (folder / "01-kas.md").write_text(text)
    (folder / "alur.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>')
    made = io.BytesIO()
    build_pack(folder, publisher(hub)).write(made)
    return made.getvalue()


def promised(hub: Hub, scope: str) -> list[PackPublished]:
    return [one for one in said(hub, scope) if isinstance(one, PackPublished)]


class Office:
    """An operator at the centre's pages."""

    def __init__(self, hub: Hub) -> None:
        self.client = browser(hub)

    def post(self, path: str, page: str = "/paket", **form: object) -> TestResponse:
        return self.client.post(path, data={**form, "csrf_token": token(self.client, page)})

    def brought(self, data: bytes) -> str:
        """The page of a pack that was just brought."""
        location = self.post("/paket", pack=(io.BytesIO(data), "kas.lontar")).location
        assert location.startswith("/paket/")
        return location


def test_a_pack_is_looked_at_before_any_village_hears_of_it(hub: Hub, tmp_path: Path) -> None:
    office = Office(hub)
    page = office.brought(built(hub, tmp_path / "c"))
    text = office.client.get(page).text
    assert "Kas &amp; buku" in text and "2 soal" in text
    assert "tidak punya penjelasan" in text and "Tidak ada tes akhir" in text
    assert promised(hub, "") == []
    assert "Belum dibagikan" in office.client.get("/paket").text
    lesson = office.client.get(f"{page}/materi/1").text
    assert "<strong>setiap hari</strong>" in lesson and "✓ Hari ini" in lesson and "12,5 ± 0,5" in lesson
    picture = re.search(r'src="(/paket/[^"]+alur\.svg)"', lesson)
    assert picture
    shown = office.client.get(picture[1])
    assert shown.status_code == 200 and "sandbox" in shown.headers["Content-Security-Policy"]


def test_it_is_given_to_a_first_stage_and_then_to_the_region(hub: Hub, tmp_path: Path) -> None:
    near, far = let_in(hub, Device(1), NEAR).open(), let_in(hub, Device(2), FAR).open()
    office = Office(hub)
    data = built(hub, tmp_path / "c")
    page = office.brought(data)
    assert office.post(f"{page}/bagikan", page, region="17.05.10", stage="1").location == page
    (promise,) = promised(hub, NEAR)
    assert promised(hub, FAR) == []
    office.post(f"{page}/bagikan", page, region="17.05")
    assert len(promised(hub, "17.05")) == 1
    assert "Desa yang belum memasang versi ini (2)" in office.client.get(page).text
    near.seal(PackInstalled(promise.course_key, promise.manifest_hash, 1))
    near.send(hub)
    far.send(hub)
    text = office.client.get(page).text
    assert "Desa yang belum memasang versi ini (1)" in text
    assert FAR in text and f"code={NEAR}" not in text


def test_what_a_new_version_changes_and_costs_is_said(hub: Hub, tmp_path: Path) -> None:
    office = Office(hub)
    office.brought(built(hub, tmp_path / "1"))
    text = LESSON.replace("minutes = 5", "minutes = 5\nrevised_in = 2").replace("setiap hari", "tiap sore")
    page = office.client.get(office.brought(built(hub, tmp_path / "2", 2, text))).text
    assert "Pembaruan dari versi 1" in page and "harus dipelajari lagi" in page


def test_strangers_broken_files_and_wrong_regions_are_refused_and_change_nothing(
    hub: Hub, tmp_path: Path
) -> None:
    office = Office(hub)
    good = built(hub, tmp_path / "c")
    stranger = io.BytesIO()
    build_pack(tmp_path / "c", SigningKey.from_seed(b"s" * 32)).write(stranger)
    for data in (b"bukan zip", good[:-30], stranger.getvalue()):
        assert office.post("/paket", pack=(io.BytesIO(data), "x.lontar")).status_code == 422
    assert office.post("/paket").status_code == 422
    assert packs.store_of(hub.config).packs() == []
    page = office.brought(good)
    for region in ("99", "abc", "17.05.10"):
        stage = {"stage": "1"} if region == "17.05.10" else {}
        assert office.post(f"{page}/bagikan", page, region=region, **stage).status_code == 422
    assert promised(hub, "") == []


@pytest.mark.parametrize("path", ["/paket/00", "/paket/zz", f"/paket/{'0' * 64}/materi/1"])
def test_what_isn_t_here_is_not_found(hub: Hub, path: str) -> None:
    assert browser(hub).get(path).status_code == 404


def test_lessons_and_files_that_a_pack_hasn_t_are_not_found(hub: Hub, tmp_path: Path) -> None:
    office = Office(hub)
    page = office.brought(built(hub, tmp_path / "c"))
    for path in ("materi/0", "materi/2", "media/kas.cbor", "media/lain.svg", "media/../alur.svg"):
        assert office.client.get(f"{page}/{path}").status_code == 404


def test_nobody_sees_packs_without_logging_in(hub: Hub, tmp_path: Path) -> None:
    page = Office(hub).brought(built(hub, tmp_path / "c"))
    stranger = browser(hub, logged_in=False)
    for path in (page, f"{page}/materi/1", f"{page}/media/alur.svg"):
        assert stranger.get(path).status_code == 302

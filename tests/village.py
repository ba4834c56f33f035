"""A village for tests: a real node in a folder, with people, a small course, and no hub to reach."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from content_packs.build import build_pack
from node import config
from node.courses import install_pack
from node.wiring import Node, open_node
from sync.keys import SigningKey, fingerprint
from sync.machine import Machine

NOBODY_THERE: Final = "http://127.0.0.1:9"

COURSE: Final = {
    "course.toml": """id = "kas-desa"
title = "Kas Desa"
version = 1
language = "id"
level = "dasar"
summary = "Pelatihan kecil untuk pengujian."
hours_jp = 2
passing_grade = 70
attempts = 2
publisher = "Penguji"
""",
    "01-tes-awal.md": """+++
id = "tes-awal"
title = "Tes awal"
role = "pretest"
minutes = 5
legal_basis = ["Contoh Pasal 1"]
reviewed = "2026-03-01"
+++

Jawablah dengan tenang.

## [kas] Siapa yang memegang kas desa?
- [ ] Camat
- [x] Kaur Keuangan
> Penjelasan: Kaur Keuangan menjalankan fungsi kebendaharaan.

## [tahun] Kapan tahun anggaran dimulai?
- [x] 1 Januari
- [ ] 1 April
> Penjelasan: Tahun anggaran berjalan dari Januari sampai Desember.
""",
    "02-buku-kas.md": """+++
id = "buku-kas"
title = "Buku kas umum"
role = "lesson"
minutes = 10
legal_basis = ["Contoh Pasal 2"]
reviewed = "2026-03-01"
+++

## Mencatat setiap hari

Catat uang **masuk dan keluar**.

![Buku kas](buku.svg)
""",
    "03-tes-akhir.md": """+++
id = "tes-akhir"
title = "Tes akhir"
role = "posttest"
minutes = 5
legal_basis = ["Contoh Pasal 3"]
reviewed = "2026-03-01"
+++

Tes penutup.

## [catat] Kapan uang dicatat?
- [x] Setiap hari
- [ ] Setiap tahun
> Penjelasan: Dicatat pada hari yang sama.

## [buku] Di mana uang dicatat?
- [ ] Di dinding
- [x] Di buku kas umum
> Penjelasan: Buku kas umum.
""",
    "buku.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><path d="M0 0h40v20H0z"/></svg>',
}


def made_village(folder: Path, *people: tuple[str, str]) -> Node:
    """An opened node with the course installed and `people` (name, position) numbered from 0."""
    machine = Machine()
    secrets = {name: machine.random_bytes(32) for name in ("device", "sealing", "pepper", "session")}
    data = folder / "data"
    config.create(data, config.Settings(NOBODY_THERE, "17.05.10.2007", "Lontar Asri"), secrets)
    node = open_node(data)
    install_course(node, folder, COURSE)
    for name, position in people:
        node.recorder.add_learner(name, position)
    return node


def install_course(node: Node, folder: Path, files: dict[str, str]) -> None:
    source = folder / "course"
    source.mkdir()
    for name, text in files.items():
        (source / name).write_text(text, encoding="utf-8")
    key = SigningKey.from_seed(b"publisher".ljust(32, b"."))
    built = io.BytesIO()
    build_pack(source, key).write(built)
    file = folder / "kas-desa.pack"
    file.write_bytes(built.getvalue())
    install_pack(node, file, fingerprint(key.public))

"""The eight courses that the workload speaks of, as folders that the real builder makes packs from."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

from bench.workload import hex_id
from content_packs.build import build_pack
from sync.keys import SigningKey

TITLES: Final = (
    "Tata Kelola Pemerintahan Desa",
    "Perencanaan Pembangunan Desa",
    "Pengelolaan Keuangan Desa",
    "Penyusunan Peraturan di Desa",
    "Administrasi Pemerintahan Desa",
    "Pelayanan Publik Desa",
    "Penguatan BPD",
    "Pengelolaan Aset Desa",
)
_QUESTIONS: Final = 10


def courses() -> list[tuple[str, list[str]]]:
    """(course id, lesson ids) exactly as `workload.events` draws them."""
    catalogue = random.Random(1945)
    return [(hex_id(catalogue), [hex_id(catalogue) for _ in range(10)]) for _ in range(8)]


def build_packs(folder: Path, key: SigningKey) -> list[Path]:
    """Write and build all eight; returns the pack files."""
    made = []
    for title, (course, lessons) in zip(TITLES, courses(), strict=True):
        source = folder / course
        source.mkdir(parents=True)
        (source / "course.toml").write_text(f'id = "{course}"\ntitle = "{title}"\nversion = 1\n')
        for number, lesson in enumerate(lessons, start=1):
            (source / f"{number:02}-materi.md").write_text(_lesson(number, lesson))
        file = folder / f"{course}.lontar"
        with file.open("wb") as opened:
            build_pack(source, key).write(opened)
        made.append(file)
    return made


def _lesson(number: int, lesson: str) -> str:
    questions = "\n".join(
        f"## [q{item}] Soal {item}\n- [x] Pilihan 1\n- [ ] Pilihan 2\n- [ ] Pilihan 3\n- [ ] Pilihan 4\n"
        for item in range(1, _QUESTIONS + 1)
    )
    head = f'id = "{lesson}"\ntitle = "Materi {number}"\nminutes = 10\nlegal_basis = ["-"]\nreviewed = 2026-11-24'
    return f"+++\n{head}\n+++\n\nMateri {number} dari bangku ukur.\n\n{questions}"

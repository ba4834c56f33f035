"""Packs of a publisher who means ill: signed rightly, and full of names that lead elsewhere."""

from __future__ import annotations

import io
import re
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_packs.manifest import Manifest, sign_manifest
from content_packs.outline import File, Lesson
from content_packs.packing import packed
from content_packs.store import PackStore
from content_packs.verify import open_pack
from sync import cbor
from sync.errors import LontarError
from sync.keys import SigningKey, sha256

KEY: Final = SigningKey.from_seed(b"jahat".ljust(32, b"."))
LESSON: Final = cbor.encode([1, "<p>x</p>", []])
EVIL: Final = (
    *("../../luar", "/etc/passwd", "C:\\luar", "isi/../../luar", "isi//luar", "isi/./luar", "..", ".", ""),
    *("isi/..", "a\0b", "isi/\u202eluar", "CON", "isi/" + "x" * 400, "keys/device.key", "lontar.db"),
)
OURS: Final = re.compile(r"[0-9a-f]{64}\.cose|pieces/[0-9a-f]{2}/[0-9a-f]{64}")
names = st.sampled_from(EVIL) | st.text(max_size=30)


def hostile_pack(paths: list[str], members: list[str], values: dict[str, Any]) -> bytes:
    """A pack file whose manifest names `paths`, and that holds `members` beside its pieces."""
    lesson = Lesson(
        1, values["lesson"], "A", "lesson", 0, (), "", (), values["content"], player=values["player"],
        activity=values["activity"], entry=values["entry"],
    )  # fmt: skip
    files = [File("a.cbor", "application/cbor", len(LESSON), (sha256(LESSON),))]
    files += [File(path, "text/html", 1, (sha256(b"x"),)) for path in paths]
    manifest = Manifest(
        values["course"], 1, "T", "id", "", "", 0, 0, 1, "", KEY.public, (lesson,), tuple(files)
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("manifest.cose", sign_manifest(KEY, manifest))
        for content in (LESSON, b"x"):
            archive.writestr(f"pieces/{sha256(content).hex()}", packed(content))
        for name in members:
            with suppress(UserWarning):
                archive.writestr(name or "kosong", b"x")
    return made.getvalue()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(names, max_size=3),
    st.lists(names, max_size=2),
    st.fixed_dictionaries(
        {
            "course": st.just("kas") | names,
            "lesson": st.just("a") | names,
            "content": st.just("a.cbor") | names,
            "player": st.sampled_from(["", "scorm", "pemutar"]) | names,
            "activity": st.just("") | names,
            "entry": st.just("") | names,
        }
    ),
)
def test_whatever_a_publisher_names_only_our_own_files_are_written(
    tmp_path: Path, paths: list[str], members: list[str], values: dict[str, Any]
) -> None:
    folder = tmp_path / "dalam" / "packs"
    file = tmp_path / "x.lontar"
    try:
        file.write_bytes(hostile_pack(paths, members, values))
    except (UnicodeEncodeError, ValueError):
        return
    store = PackStore(folder)
    with suppress(LontarError), open_pack(file, lambda key: key == KEY.public) as pack:
        installed = store.install(pack)
        for name in (*paths, *EVIL):
            with suppress(LontarError):
                installed.media(name)
                installed.file(name)
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != file]
    for path in written:
        assert OURS.fullmatch(path.relative_to(folder).as_posix()), path


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.binary(max_size=40),
        lambda inner: st.lists(inner, max_size=14),
        max_leaves=25,
    )
)
def test_a_lesson_file_of_anything_is_refused_and_never_crashes(tmp_path: Path, values: Any) -> None:
    from content_packs.lesson_file import read_lesson_file

    try:
        data = cbor.encode([1, values, [values]])
    except (LontarError, OverflowError, ValueError):
        return
    with suppress(LontarError):
        read_lesson_file(data)
    with suppress(LontarError):
        read_lesson_file(
            cbor.encode([1, "", [["id", "x", ["a", "b"], values, "", values, values, values]]])
        )

"""Facts as Parquet, in folders by province and month as Hive, Spark and DuckDB name them.

`progress/province=17/month=2026-11/part-….parquet`; what has no month lies in `month=__HIVE_DEFAULT_PARTITION__`, which
they read as null. The folder is made beside its place and put there when it is whole. Needs pyarrow, which only
analysts install.
"""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine

from hub.db import reading
from hub.errors import HubError
from hub.exports.facts import FACTS, Column, Fact
from hub.exports.tables import Form, Row
from sync import __version__
from sync.errors import N_

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-not-found, import-untyped, unused-ignore]

ABOUT: Final = "_lontar.json"
"""The file that says what a folder holds, and that it may be replaced; Spark and DuckDB pass over it."""
_GROUP: Final = 10_000
"""Rows that are gathered before they are written."""
_BATCH: Final = 2_000


def write(
    engine: Engine,
    folder: Path,
    region: str,
    names: bool,
    now_ms: int,
    progress: Callable[[int], None] = lambda rows: None,
) -> dict[str, int]:
    """Write every table of facts of a region ("" for all) into `folder`; returns how many rows each has.

    Raises:
        HubError: pyarrow isn't installed, or something else lies in that place.
    """
    _need_pyarrow()
    _refuse_what_is_not_ours(folder)
    counts: dict[str, int] = {}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as space:
        made = Path(space) / "new"
        for fact in FACTS:
            told = partial(_told, progress, sum(counts.values()))
            counts[fact.name] = _write_fact(engine, fact, made / fact.name, region, names, told)
        about = {
            "lontar": __version__,
            "made_at": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="seconds"),
            "region": region,
            "names": names,
            "rows": counts,
        }
        (made / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
        _put_in_place(made, folder, Path(space) / "old")
    return counts


def _told(progress: Callable[[int], None], before: int, rows: int) -> None:
    progress(before + rows)


def _write_fact(
    engine: Engine, fact: Fact, into: Path, region: str, names: bool, progress: Callable[[int], None]
) -> int:
    from pyarrow import dataset  # type: ignore[import-not-found, import-untyped, unused-ignore]

    into.mkdir(parents=True)
    schema = _schema(fact, names)
    kinds = dataset.partitioning(_arrow_schema(fact.columns[-2:]), flavor="hive")
    count = 0

    def counted(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal count
        for row in rows:
            count += 1
            yield row
        progress(count)

    # Rows come by village: one province after the other, so that few files are open at a time.
    provinces = itertools.groupby(_rows(engine, fact, region), key=lambda row: row[-2])
    for number, (_province, rows) in enumerate(provinces):
        dataset.write_dataset(
            _batches(counted(rows), fact, names),
            into,
            schema=schema,
            format="parquet",
            partitioning=kinds,
            basename_template=f"part-{number}-{{i}}.parquet",
            existing_data_behavior="overwrite_or_ignore",
            min_rows_per_group=_GROUP,
            max_rows_per_group=10 * _GROUP,
        )
    return count


def _rows(engine: Engine, fact: Fact, region: str) -> Iterator[Row]:
    after = None
    while True:
        with reading(engine) as connection:
            page = fact.page(connection, region, after)
        yield from page.rows
        if page.last is None:
            return
        after = page.last


def _batches(rows: Iterator[Row], fact: Fact, names: bool) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    schema = _schema(fact, names)
    places = [at for at, column in enumerate(fact.columns) if names or not column.is_personal]
    while some := list(itertools.islice(rows, _BATCH)):
        arrays = [
            pa.array([row[at] for row in some], type=field.type)
            for at, field in zip(places, schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _schema(fact: Fact, names: bool) -> pa.Schema:
    return _arrow_schema([column for column in fact.columns if names or not column.is_personal])


def _arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    import pyarrow as pa

    types: dict[Form, Any] = {
        Form.TEXT: pa.string(),
        Form.NUMBER: pa.int64(),
        Form.MOMENT: pa.timestamp("ms", tz="UTC"),
    }
    return pa.schema([(column.name, types[column.form]) for column in columns])


def _need_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as problem:
        raise HubError(
            N_('Untuk Parquet perlu pyarrow. Pasang dulu: python -m pip install "lontar[analyst]"')
        ) from problem


def _refuse_what_is_not_ours(folder: Path) -> None:
    """Whatever stands in the place is replaced only if an export made it."""
    if not folder.exists() or (folder / ABOUT).is_file():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise HubError(
            N_("Folder %(folder)s berisi hal lain. Pilih folder kosong atau yang belum ada."), folder=folder
        )


def _put_in_place(made: Path, folder: Path, old: Path) -> None:
    if not folder.exists():
        made.rename(folder)
        return
    folder.rename(old)
    try:
        made.rename(folder)
    except OSError:
        old.rename(folder)
        raise

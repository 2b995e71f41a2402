"""Tables to score: made of seeded chance, file by file.

So any number of rows needs little memory.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.contest import tell

FILE_ROWS = 2_000_000
GROUP_ROWS = 1 << 18
NUMBERS = 20
CATEGORIES = [5, 8, 12, 20, 50, 200]
MISSING = 0.05
TARGET = "target"
BYTES_PER_ROW = 160  # of the widest table and its scores, and then some
Maker = Callable[[np.random.Generator, int], pa.Table]


def floats(chance: np.random.Generator, rows: int) -> pa.Table:
    """Make 20 columns of float32 without gaps."""
    columns = chance.standard_normal((NUMBERS, rows), dtype=np.float32)
    return pa.table({f"x{place:02d}": column for place, column in enumerate(columns)})


def doubles(chance: np.random.Generator, rows: int) -> pa.Table:
    """Make 20 columns of float64 without gaps."""
    table = floats(chance, rows)
    return table.cast(pa.schema([(name, pa.float64()) for name in table.column_names]))


def gaps(chance: np.random.Generator, rows: int) -> pa.Table:
    """Make 6 columns of strings with 5 to 200 categories and 6 of float64.

    One value in twenty is missing.
    """
    columns: dict[str, pa.Array] = {}

    for place, count in enumerate(CATEGORIES):
        numbers = chance.integers(0, count, rows, dtype=np.int32)
        is_missing = chance.random(rows) < MISSING
        labels = pa.array([f"category {label:03d}" for label in range(count)])
        columns[f"c{place}"] = labels.take(pa.array(numbers, mask=is_missing))

    for place in range(6):
        values = chance.standard_normal(rows)
        is_missing = chance.random(rows) < MISSING
        columns[f"x{place}"] = pa.array(values, mask=is_missing)
    return pa.table(columns)


def with_target(table: pa.Table, chance: np.random.Generator) -> pa.Table:
    """Add what is to be learned.

    It is a sign that depends on all columns, on some of them in pairs, and on chance.
    """
    columns = np.stack([signal(column) for column in table.columns])
    total = columns.sum(axis=0) / 2 + columns[0] * columns[-1] + np.sin(2 * columns[-2])
    is_positive = total + chance.standard_normal(len(table)) > 0
    return table.append_column(TARGET, pa.array(is_positive.astype(np.int64)))


def signal(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Turn a column of any type into numbers around zero: a category into one that is its own."""
    if pa.types.is_string(column.type):
        codes = column.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
        return np.sin(np.nan_to_num(codes) * 1.7)
    return np.nan_to_num(column.to_numpy())


def write_training(folder: Path, make: Maker, rows: int) -> Path:
    """Write a table with its target as one file."""
    chance = np.random.default_rng(0)
    path = folder / "train.parquet"
    pq.write_table(with_target(make(chance, rows), chance), path)
    return path


def write_source(folder: Path, make: Maker, rows: int, file_rows: int = FILE_ROWS) -> Path:
    """Write a table as a folder of files of 2,000,000 rows.

    One that is there is whole, and never written again.
    """
    source = folder / f"{make.__name__}-{rows}"
    if source.exists():
        return source
    check_space(folder, rows)
    tell(f"writing {rows:,} rows of {make.__name__}")
    unfinished = folder / f"{source.name}.tmp"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)

    for number, first in enumerate(range(0, rows, file_rows)):
        chance = np.random.default_rng([1, number])
        table = make(chance, min(file_rows, rows - first))
        write_file(table, unfinished / f"part-{number:03d}.parquet")
    return unfinished.rename(source)


def write_file(table: pa.Table, path: Path) -> None:
    """Write a table as a Parquet file."""
    # Numbers of chance do not repeat: dictionaries would only make the files larger.
    strings = [field.name for field in table.schema if pa.types.is_string(field.type)]
    pq.write_table(
        table, path, row_group_size=GROUP_ROWS, compression="zstd", use_dictionary=strings
    )


def check_space(folder: Path, rows: int) -> None:
    """Refuse a table for which the disk has no room.

    Raises:
        RuntimeError: with what is needed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 2**30
    needed = rows * BYTES_PER_ROW / 2**30
    if free < needed:
        raise RuntimeError(f"{folder} has {free:.1f} GiB free: {rows:,} rows need {needed:.1f} GiB")

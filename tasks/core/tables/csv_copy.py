"""The Parquet copy of a CSV file: typed by the model, and read piece by piece from there on."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.core.errors import RequestError
from tasks.core.tables.columns import Column, ColumnKind
from tasks.core.tables.csv_files import iterate_csv
from tasks.core.tables.frames import NOT_GIVEN, STORED_AS, parse_dates
from tasks.core.tables.sources import SourceFile

TRUE, FALSE = ("1", "True", "TRUE", "true"), ("0", "False", "FALSE", "false")
NAMES: dict[ColumnKind, str] = {"numeric": "number", "boolean": "boolean", "date": "date"}


def copy_csv(file: SourceFile, features: Sequence[Column], path: Path, group_rows: int) -> Path:
    """Copy a CSV file to Parquet with the types of the model's features; all other columns stay as
    written.

    A row with a value of another type says so in a column of its own, and holds nothing in that
    value's place. A copy that an earlier attempt finished is taken, if it is undamaged.

    Raises:
        RequestError: the file cannot be read without loss.
    """
    if path.exists() and _is_undamaged(path):
        return path
    typed = [column for column in features if column.kind != "categorical"]
    try:
        _write(_typed_batches(file, typed), path, group_rows)
    except RequestError as error:
        if "CSV conversion error" not in str(error):
            raise
        _write(_lenient_batches(file, typed), path, group_rows)
    return path


def _is_undamaged(path: Path) -> bool:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
            return all(len(batch) for batch in parquet.iter_batches())
    except (OSError, pa.ArrowException):
        return False


def _write(batches: Iterator[pa.RecordBatch], path: Path, group_rows: int) -> None:
    unfinished = path.with_suffix(".tmp")
    first = next(batches)
    with pq.ParquetWriter(
        unfinished, first.schema, compression="lz4", write_page_checksum=True
    ) as writer:
        for batch in batches:
            writer.write_batch(batch, row_group_size=group_rows)
    unfinished.replace(path)


def _typed_batches(file: SourceFile, typed: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    """Let pyarrow convert numbers and booleans, which is fast and fails at the first value that is
    none.
    """
    types = {column.name: STORED_AS[column.kind] for column in typed if column.kind != "date"}
    dates = [column for column in typed if column.kind == "date"]
    return (convert(batch, dates) for batch in iterate_csv(file, types))


def _lenient_batches(file: SourceFile, typed: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    """Convert texts ourselves, and mark the rows that hold a value of another type."""
    return (convert(batch, typed) for batch in iterate_csv(file, {}))


def convert(batch: pa.RecordBatch, columns: Sequence[Column]) -> pa.RecordBatch:
    """Convert columns of texts to what their kind is stored as; a column more says what is wrong
    with a row.

    >>> batch = pa.record_batch({"size": ["1.5", "NA", "many"]})
    >>> convert(batch, [Column("size", "numeric")]).to_pydict()["size"]
    [1.5, None, None]
    """
    problems: dict[int, list[str]] = {}
    for column in columns:
        texts = batch[column.name]
        values, bad = _converted(texts, column.kind)
        for row in bad:
            said = f"column {column.name!r}: {texts[row].as_py()!r} is no {NAMES[column.kind]}"
            problems.setdefault(row, []).append(said)
        position = batch.schema.get_field_index(column.name)
        batch = batch.set_column(position, pa.field(column.name, values.type), values)
    if not problems:
        return batch.append_column(PROBLEM, pa.nulls(len(batch), pa.string()))
    all_said = ["; ".join(problems[row]) if row in problems else None for row in range(len(batch))]
    return batch.append_column(PROBLEM, pa.array(all_said, pa.string()))


def _converted(texts: pa.Array, kind: ColumnKind) -> tuple[pa.Array, list[int]]:
    """Convert what can be converted; give the rows of the rest, whose values are missing."""
    missing = pc.is_in(texts, pa.array(NOT_GIVEN))
    given = pc.if_else(missing, pa.scalar(None, pa.string()), texts)
    bad: list[int] = []
    parts = list(_halved(given, PARSERS[kind], STORED_AS[kind], 0, bad))
    return pa.concat_arrays(parts), bad


def _halved(
    texts: pa.Array,
    parse: Callable[[pa.Array], pa.Array],
    type_: pa.DataType,
    first: int,
    bad: list[int],
) -> Iterator[pa.Array]:
    """Parse texts, in halves where they cannot be parsed together; what cannot be parsed alone is
    bad, and missing.
    """
    try:
        yield parse(texts)
    except ValueError:
        half = len(texts) // 2
        if half:
            yield from _halved(texts[:half], parse, type_, first, bad)
            yield from _halved(texts[half:], parse, type_, first + half, bad)
        else:
            bad.append(first)
            yield pa.nulls(1, type_)


def _numbers(texts: pa.Array) -> pa.Array:
    return pc.utf8_trim_whitespace(texts).cast(STORED_AS["numeric"])


def _booleans(texts: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(texts)
    true, false = (pc.is_in(trimmed, pa.array(words)) for words in (TRUE, FALSE))
    if not pc.all(pc.or_(pc.or_(true, false), pc.is_null(trimmed)), min_count=0).as_py():
        raise ValueError("not a boolean")
    return pc.if_else(pc.is_null(trimmed), pa.scalar(None, pa.bool_()), true)


PARSERS: dict[ColumnKind, Callable[[pa.Array], pa.Array]] = {
    "numeric": _numbers,
    "boolean": _booleans,
    "date": parse_dates,
}
# in the Parquet copy of a CSV file: what is wrong with a row as it is written
PROBLEM = "__afterfit_problem__"

"""The Parquet copy of a CSV file: typed by the model, and read piece by piece from there on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.core.errors import RequestError
from tasks.core.tables.columns import Column, ColumnKind
from tasks.core.tables.csv_files import iterate_csv
from tasks.core.tables.frames import STORED_AS, given_strings, parse_dates
from tasks.core.tables.sources import SourceFile

PROBLEM = "__afterfit_problem__"  # the column of a copy that says what is wrong with a row
TRUE = pa.array(["1", "True", "TRUE", "true"])
FALSE = pa.array(["0", "False", "FALSE", "false"])
NULL_BOOLEAN = pa.scalar(None, pa.bool_())
NAMES: dict[ColumnKind, str] = {"numeric": "number", "boolean": "boolean", "date": "date"}
WITH_ZONE = {True: "with a time zone", False: "without a time zone"}


def copy_csv(file: SourceFile, features: Sequence[Column], path: Path, group_rows: int) -> Path:
    """Copy a CSV file to Parquet with the types of the model's features.

    All other columns stay as written. A value of another type is missing in the copy, and its row
    says so in the column `PROBLEM`. A copy that an earlier attempt finished is used again if it is
    undamaged.

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
    """Write batches to a file that gets its name when it is whole; the first gives the schema."""
    unfinished = path.with_suffix(".tmp")
    schema = next(batches).schema
    with pq.ParquetWriter(
        unfinished, schema, compression="lz4", write_page_checksum=True
    ) as writer:
        for batch in batches:
            writer.write_batch(batch, row_group_size=group_rows)

    unfinished.replace(path)


def _typed_batches(file: SourceFile, typed: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    """Let pyarrow parse numbers and booleans: fast, but fails at the first value that is none."""
    types: dict[str, pa.DataType] = {}
    dates: list[Column] = []
    for column in typed:
        if column.kind == "date":
            dates.append(column)
        else:
            types[column.name] = STORED_AS[column.kind]

    for batch in iterate_csv(file, types):
        yield convert(batch, dates)


def _lenient_batches(file: SourceFile, typed: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    """Parse all strings here, and mark the rows that hold a value of another type."""
    for batch in iterate_csv(file, {}):
        yield convert(batch, typed)


def convert(batch: pa.RecordBatch, columns: Sequence[Column]) -> pa.RecordBatch:
    """Parse columns of strings as their kind is stored; add a column with the problem of each row.

    >>> batch = pa.record_batch({"size": ["1.5", "NA", "many"]})
    >>> found = convert(batch, [Column("size", "numeric")]).to_pydict()
    >>> found["size"], found[PROBLEM]
    ([1.5, None, None], [None, None, "column 'size': 'many' is no number"])
    """
    problems: dict[int, list[str]] = {}
    for column in columns:
        strings = batch[column.name]
        values, bad_rows = _parse_column(strings, column)
        batch = _replace_column(batch, column.name, values)
        for row in bad_rows:
            problem = _problem_of(column, strings[row])
            problems.setdefault(row, []).append(problem)

    said = _problem_column(problems, len(batch))
    return batch.append_column(PROBLEM, said)


def _replace_column(batch: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    position = batch.schema.get_field_index(name)
    field = pa.field(name, values.type)
    return batch.set_column(position, field, values)


def _problem_of(column: Column, string: pa.Scalar) -> str:
    value = string.as_py()
    zone = "" if column.zoned is None else f" {WITH_ZONE[column.zoned]}"
    return f"column {column.name!r}: {value!r} is no {NAMES[column.kind]}{zone}"


def _problem_column(problems: Mapping[int, Sequence[str]], rows: int) -> pa.Array:
    """Return the problems of each row as one string; None where there are none."""
    if not problems:
        return pa.nulls(rows, pa.string())

    said: list[str | None] = [None] * rows
    for row, of_row in problems.items():
        said[row] = "; ".join(of_row)
    return pa.array(said, pa.string())


def _parse_column(strings: pa.Array, column: Column) -> tuple[pa.Array, list[int]]:
    """Return the parsed values, and the rows of those that cannot be parsed, which are missing."""
    given = given_strings(strings)
    missing_value = pa.nulls(1, STORED_AS[column.kind])
    parser = PARSERS[column.kind]
    if column.zoned is not None:
        parser = partial(parse_dates, zoned=column.zoned)

    parts: list[pa.Array] = []
    bad_rows: list[int] = []
    row = 0
    for part in _parse_in_halves(given, parser):
        if part is None:
            bad_rows.append(row)
            parts.append(missing_value)
            row += 1
        else:
            parts.append(part)
            row += len(part)

    return pa.concat_arrays(parts), bad_rows


def _parse_in_halves(
    strings: pa.Array, parse: Callable[[pa.Array], pa.Array]
) -> Iterator[pa.Array | None]:
    """Yield strings parsed together, or in halves where that fails; None for a bad one alone."""
    try:
        yield parse(strings)
    except ValueError:
        half = len(strings) // 2
        if half:
            yield from _parse_in_halves(strings[:half], parse)
            yield from _parse_in_halves(strings[half:], parse)
        else:
            yield None


def _parse_numbers(strings: pa.Array) -> pa.Array:
    return pc.utf8_trim_whitespace(strings).cast(STORED_AS["numeric"])


def _parse_booleans(strings: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(strings)
    is_missing = pc.is_null(trimmed)
    is_true = pc.is_in(trimmed, TRUE)
    is_false = pc.is_in(trimmed, FALSE)

    is_boolean = pc.or_(is_true, is_false)
    is_known = pc.or_(is_boolean, is_missing)
    if not pc.all(is_known, min_count=0).as_py():
        raise ValueError("not a boolean")

    return pc.if_else(is_missing, NULL_BOOLEAN, is_true)


PARSERS: dict[ColumnKind, Callable[[pa.Array], pa.Array]] = {
    "numeric": _parse_numbers,
    "boolean": _parse_booleans,
    "date": parse_dates,
}

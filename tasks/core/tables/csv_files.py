"""CSV files: read as they are written, typed by the model where there is one."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from tasks.core.errors import RequestError
from tasks.core.tables.columns import NULL_STRING
from tasks.core.tables.csv_header import check_header, header_advice
from tasks.core.tables.csv_lines import first_fault
from tasks.core.tables.csv_text import CheckedText
from tasks.core.tables.frames import IN_UTC, parse_dates
from tasks.core.tables.open_files import OpenFile, open_file, reading
from tasks.core.tables.sources import SourceFile
from tasks.core.tables.timestamps import MICROSECONDS

HEADER_BYTES = 1 << 20
OTHER_SEPARATORS = (";", "\t", "|")
BLOCK = 1 << 24  # bytes parsed at once
TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:")
INFERENCE_BLOCK = 1 << 26  # types are inferred from this many bytes, where no model gives them


def read_csv(file: SourceFile, as_text: tuple[str, ...] = ()) -> pa.Table:
    """Read a whole CSV file and infer its types; the columns `as_text` stay as they are written.

    Raises:
        RequestError: a row has too many or too few fields, or the file is not UTF-8.
        SourceChangedError: it is no longer the file that was identified.
    """
    names = header(file)
    types = dict.fromkeys(as_text, pa.string())
    batches = _batches(file, len(names), types, INFERENCE_BLOCK)

    table = pa.Table.from_batches(list(batches))
    check_header(table, file.path)
    return _with_far_dates(table, as_text)


def _with_far_dates(table: pa.Table, as_text: Sequence[str]) -> pa.Table:
    """Return the table with its dates parsed that pyarrow takes for text.

    It infers nanoseconds from any fraction of a second, and these have no room for far dates.
    """
    for position, name in enumerate(table.column_names):
        column = table[name]
        if name in as_text or not _begins_with_timestamp(column):
            continue
        dates = _parsed(column, zoned=False) or _parsed(column, zoned=True)
        if dates is not None:
            table = table.set_column(position, name, dates)
    return table


def _parsed(column: pa.ChunkedArray, *, zoned: bool) -> pa.ChunkedArray | None:
    """Return strings as dates that all have a zone, or all have none; None where it is text."""
    try:
        chunks = [parse_dates(chunk, zoned=zoned) for chunk in column.chunks]
    except ValueError:
        return None
    dates = pa.chunked_array(chunks, MICROSECONDS)
    return dates.cast(pa.int64()).cast(IN_UTC) if zoned else dates


def _begins_with_timestamp(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_string(column.type):
        return False
    row = pc.index(pc.is_valid(column), value=True).as_py()
    return row >= 0 and TIMESTAMP.match(column[row].as_py()) is not None


def iterate_csv(file: SourceFile, types: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    """Read a CSV file by block with the given types; columns without one are strings.

    The first batch has no rows: it gives the schema.

    Raises:
        RequestError: it cannot be read without loss.
        SourceChangedError: at the end, if it is no longer the file that was identified.
    """
    names = header(file)
    all_types = dict.fromkeys(names, pa.string())
    all_types.update(types)
    yield from _batches(file, len(names), all_types, BLOCK)


def _batches(
    file: SourceFile, fields: int, types: Mapping[str, pa.DataType], block: int
) -> Iterator[pa.RecordBatch]:
    with _open(file) as stream:
        checked = CheckedText(stream)
        try:
            with _open_reader(checked, fields, types, block) as reader:
                yield pa.RecordBatch.from_pylist([], schema=reader.schema)
                for batch in reader:
                    yield _empty_is_missing(batch)
        except (pa.ArrowInvalid, OSError) as error:
            reason = checked.fault or _reason_of(error, file, fields)
            raise RequestError(f"{file.path}: {reason}") from error

    if checked.fault:
        raise RequestError(f"{file.path}: {checked.fault}.")


def _open_reader(
    checked: CheckedText, fields: int, types: Mapping[str, pa.DataType], block: int
) -> pa.csv.CSVStreamingReader:
    # An empty line of a single column is a row whose value is missing.
    parsing = pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=fields > 1)
    # Only numbers and dates may be written as NA; in a column of strings, Namibia is "NA".
    conversion = pa.csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    return pa.csv.open_csv(
        pa.PythonFile(checked, mode="r"),
        read_options=pa.csv.ReadOptions(block_size=block, use_threads=False),
        parse_options=parsing,
        convert_options=conversion,
    )


def _reason_of(error: Exception, file: SourceFile, fields: int) -> str:
    """Return why a file could not be parsed, with the place where that can be found."""
    message = _one_line(error)
    if "UTF8" in message:
        return f"{_first_fault(file, fields)} is not UTF-8: convert the file first."
    if "CSV parse error" in message:
        return f"{_first_fault(file, fields)}: {message}"
    return message


def _first_fault(file: SourceFile, fields: int | None = None) -> str:
    with closing(open_file(file.path)) as opened:
        return first_fault(_decompress(opened), fields)


def header(file: SourceFile) -> list[str]:
    """Read the names of the columns.

    Raises:
        RequestError: the file is empty, a name occurs twice, or it is not UTF-8.
    """
    try:
        text = _read_start(file)
        names = next(csv.reader(io.StringIO(text)), [])
    except UnicodeDecodeError as error:
        place = _first_fault(file)
        raise RequestError(f"{file.path}: {place} is not UTF-8: convert the file first.") from error
    except (csv.Error, OSError) as error:
        raise RequestError(f"{file.path}: {_one_line(error)}") from error

    if "\0" in text:
        raise RequestError(
            f"{file.path} holds NUL characters: it is no text, or not UTF-8; convert it first."
        )
    _check_names(names, file.path)
    return names


def _read_start(file: SourceFile) -> str:
    with _open(file) as stream:
        start = stream.read(HEADER_BYTES)

    # The last character of a long file may be cut in two.
    is_whole = len(start) < HEADER_BYTES
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    return decoder.decode(start, final=is_whole)


def _check_names(names: Sequence[str], path: str) -> None:
    if not names:
        raise RequestError(f"{path} is empty.")

    if len(names) == 1:
        for separator in OTHER_SEPARATORS:
            if separator in names[0]:
                raise RequestError(
                    f"{path} seems to be separated by {separator!r}: afterfit reads commas, "
                    "convert it first."
                )

    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestError(f"{path}: column {twice!r} occurs twice{header_advice(twice)}.")


@contextmanager
def _open(file: SourceFile) -> Iterator[pa.NativeFile]:
    with reading(file.path, file.revision) as opened:
        yield _decompress(opened)


def _decompress(opened: OpenFile) -> pa.NativeFile:
    is_compressed = opened.path.lower().endswith(".gz")
    return pa.input_stream(opened.stream, compression="gzip" if is_compressed else None)


def _empty_is_missing(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [_without_empty(column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _without_empty(column: pa.Array) -> pa.Array:
    """Return a column of strings with the empty ones missing; other columns as they are."""
    if pa.types.is_binary(column.type):
        # pyarrow infers binary only where something is not UTF-8: this cast raises.
        column.cast(pa.string())

    if not pa.types.is_string(column.type):
        return column

    is_empty = pc.equal(column, "")
    return pc.if_else(is_empty, NULL_STRING, column)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

"""CSV files: read as they are written, typed by the model where there is one."""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from tasks.core.errors import RequestError
from tasks.core.storage.location import open_filesystem
from tasks.core.tables.csv_text import CheckedText
from tasks.core.tables.sources import SourceFile

HEADER_BYTES = 1 << 20
OTHER_SEPARATORS = (";", "\t", "|")
BLOCK = 1 << 24  # bytes parsed at once
INFERENCE_BLOCK = 1 << 26  # types are inferred from this many bytes, where no model gives them


def read_csv(file: SourceFile, as_text: tuple[str, ...] = ()) -> pa.Table:
    """Read a whole CSV file and infer its types; the columns `as_text` stay as they are written.

    Raises:
        RequestError: a row has too many or too few fields, or the file is not UTF-8.
    """
    types = dict.fromkeys(as_text, pa.string())
    return pa.Table.from_batches(
        list(_batches(file, types, INFERENCE_BLOCK, strings_otherwise=False))
    )


def iterate_csv(file: SourceFile, types: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    """Read a CSV file by block with the given types; columns without one are strings."""
    yield from _batches(file, types, BLOCK, strings_otherwise=True)


def _batches(
    file: SourceFile, types: Mapping[str, pa.DataType], block: int, *, strings_otherwise: bool
) -> Iterator[pa.RecordBatch]:
    names = header(file)
    given = {**dict.fromkeys(names, pa.string()), **types} if strings_otherwise else types
    with _open(file) as stream:
        checked = CheckedText(stream)
        try:
            with pa.csv.open_csv(
                pa.PythonFile(checked, mode="r"),
                read_options=pa.csv.ReadOptions(block_size=block, use_threads=False),
                # An empty line of a single column is a row whose value is missing.
                parse_options=pa.csv.ParseOptions(
                    newlines_in_values=True, ignore_empty_lines=len(names) > 1
                ),
                # Only numbers and dates may be written as NA; in a column of texts, Namibia is
                # "NA".
                convert_options=pa.csv.ConvertOptions(
                    column_types=given, strings_can_be_null=False
                ),
            ) as reader:
                yield pa.RecordBatch.from_pylist([], schema=reader.schema)
                for batch in reader:
                    yield _empty_is_missing(batch)
        except (pa.ArrowInvalid, OSError) as error:
            said = checked.fault or _explained(error, file, len(names))
            raise RequestError(f"{file.path}: {said}") from error
    if checked.fault:
        raise RequestError(f"{file.path}: {checked.fault}.")


def _explained(error: Exception, file: SourceFile, fields: int) -> str:
    said = _one_line(error)
    if "UTF8" in said:
        return f"{first_fault(file, fields)} is not UTF-8: convert the file first."
    return f"{first_fault(file, fields)}: {said}" if "CSV parse error" in said else said


def first_fault(file: SourceFile, fields: int | None = None) -> str:
    """Find the first row with another number of fields than the header, or text that is not UTF-8;
    say where.

    This is read by Python's own reader, which is slow and knows lines and bytes; nothing where it
    finds no fault.
    """
    with _open(file) as stream:
        lines = _Lines(io.BufferedReader(stream, BLOCK))
        try:
            for record in csv.reader(lines):
                if fields is not None and record and len(record) != fields:
                    return f"the row that begins in line {lines.first_line:,}, byte {lines.first_byte:,}"
                lines.begin()
        except UnicodeDecodeError as error:
            return f"line {lines.line:,}, byte {lines.byte - len(error.object) + error.start:,}"
        except (csv.Error, OSError):
            pass
    return ""


class _Lines:
    """Gives the lines of a binary file as text, and knows where the current record began."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self.stream = stream
        self.line = self.byte = self.first_byte = 0
        self.first_line = 1

    def __iter__(self) -> Iterator[str]:
        for raw in self.stream:
            self.line += 1
            self.byte += len(raw)
            yield raw.decode("utf-8")

    def begin(self) -> None:
        """Let the next record begin here."""
        self.first_line, self.first_byte = self.line + 1, self.byte


def header(file: SourceFile) -> list[str]:
    """Read the names of the columns.

    Raises:
        RequestError: the file is empty, a name occurs twice, or it is not UTF-8.
    """
    try:
        with _open(file) as stream:
            start = stream.read(HEADER_BYTES)
        # The last character of a long file may be cut in two.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(
            start, final=len(start) < HEADER_BYTES
        )
        names = next(csv.reader(io.StringIO(text)), [])
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{file.path}: {first_fault(file)} is not UTF-8: convert the file first."
        ) from error
    except (csv.Error, OSError) as error:
        raise RequestError(f"{file.path}: {_one_line(error)}") from error
    if "\0" in text:
        raise RequestError(
            f"{file.path} holds NUL characters: it is no text, or not UTF-8; convert it first."
        )
    if not names:
        raise RequestError(f"{file.path} is empty.")
    if len(names) == 1 and (found := [mark for mark in OTHER_SEPARATORS if mark in names[0]]):
        raise RequestError(
            f"{file.path} seems to be separated by {found[0]!r}: afterfit reads commas, convert it first."
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestError(f"{file.path}: column {twice!r} occurs twice.")
    return names


def _open(file: SourceFile) -> Any:
    filesystem, path = open_filesystem(file.path)
    compression = "gzip" if path.lower().endswith(".gz") else None
    return pa.input_stream(filesystem.open(path, "rb"), compression=compression)


def _empty_is_missing(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if pa.types.is_binary(field.type):
            column.cast(
                pa.string()
            )  # raises, for pyarrow infers binary only where something is not UTF-8
        text = pa.types.is_string(field.type)
        columns.append(
            pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
            if text
            else column
        )
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

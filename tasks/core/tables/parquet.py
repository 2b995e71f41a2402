"""Parquet files: opened, read whole, and their footers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.errors import RequestError
from tasks.core.tables.open_files import OpenFile, reading

READ_BUFFER = 1 << 20  # bytes
MAGIC = b"PAR1"
ENDING_BYTES = 8  # the length of the footer, and the magic number
SMALLEST_FILE = 12  # bytes: magic number, length of the footer, magic number
FIRST_READ = 1 << 16  # bytes: nearly every footer fits in
# Nanoseconds, the default for INT96, end in 2262: later dates would come out as earlier ones.
INT96_UNIT = "us"


@dataclass(frozen=True)
class Footer:
    """What the footer of a file says: its columns, and the rows of each row group.

    A CSV file has names of columns only, and no row groups.
    """

    schema: pa.Schema
    group_rows: tuple[int, ...]


def read_tail(opened: OpenFile, size: int) -> bytes:
    """Read the footer of a Parquet file with its ending, as they stand.

    Args:
        opened: the file.
        size: its size, in bytes.

    Raises:
        RequestError: it is no whole Parquet file.
    """
    first = opened.read_range(max(0, size - FIRST_READ), size)
    if size < SMALLEST_FILE or first[-len(MAGIC) :] != MAGIC:
        raise RequestError(
            f"{opened.path} is not a whole Parquet file: its last four bytes are not PAR1."
        )

    length = ENDING_BYTES + int.from_bytes(first[-ENDING_BYTES : -len(MAGIC)], "little")
    if length <= len(first):
        return first[-length:]
    return opened.read_range(max(0, size - length), size)


def parse_footer(tail: bytes, origin: str) -> Footer:
    """Parse the footer of a Parquet file.

    Args:
        tail: the footer with its ending, as `read_tail` returns them.
        origin: the file's name, for a message.

    Raises:
        RequestError: the file is damaged.
    """
    return _footer_of(pa.BufferReader(tail), origin)


def read_footer(path: str, origin: str) -> Footer:
    """Read the footer of a Parquet file of this machine.

    Raises:
        RequestError: the file is damaged.
    """
    return _footer_of(path, origin)


def _footer_of(source: Any, origin: str) -> Footer:
    try:
        with pq.ParquetFile(source, coerce_int96_timestamp_unit=INT96_UNIT) as parquet:
            groups = range(parquet.metadata.num_row_groups)
            rows = tuple(parquet.metadata.row_group(group).num_rows for group in groups)
            return Footer(parquet.schema_arrow, rows)
    except (OSError, pa.ArrowInvalid) as error:
        raise RequestError(f"{origin} cannot be read as Parquet: {error}") from error


def open_parquet(source: Any) -> pq.ParquetFile:
    """Open a Parquet file for reading by row group.

    Large column chunks are read as a stream, not at once.

    Args:
        source: the stream of an open file, which stays open, or a path of this machine.
    """
    return pq.ParquetFile(
        source,
        pre_buffer=False,
        buffer_size=READ_BUFFER,
        coerce_int96_timestamp_unit=INT96_UNIT,
        page_checksum_verification=True,
    )


def iterate_parquet(path: str, revision: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read some columns of a Parquet file by batch; the file must be of a revision.

    Raises:
        RequestError: it is damaged.
        SourceChangedError: at the end, if it is of another revision.
    """
    try:
        with reading(path, revision) as opened, open_parquet(opened.stream) as parquet:
            yield from parquet.iter_batches(columns=list(columns))
    except (OSError, pa.ArrowInvalid) as error:
        raise RequestError(f"{path} cannot be read as Parquet: {error}") from error


def read_parquet(path: str, revision: str) -> pa.Table:
    """Read a whole Parquet file that must be of a revision.

    Raises:
        RequestError: it is damaged.
        SourceChangedError: it is of another revision.
    """
    try:
        with reading(path, revision) as opened, open_parquet(opened.stream) as parquet:
            return parquet.read()
    except (OSError, pa.ArrowInvalid) as error:
        raise RequestError(f"{path} cannot be read as Parquet: {error}") from error

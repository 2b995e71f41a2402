"""Parquet files: opened, read whole, and their footers."""

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.errors import RequestError
from tasks.core.storage.location import is_url, open_filesystem
from tasks.core.tables.sources import SourceFile


def read_footer(path: str, origin: str) -> tuple[pa.Schema, tuple[int, ...]]:
    """Read the schema of a Parquet file, and how many rows each of its row groups has.

    Raises:
        RequestError: the file is damaged.
    """
    try:
        with open_parquet(path) as parquet:
            metadata = parquet.metadata
            rows = tuple(
                metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)
            )
            return parquet.schema_arrow, rows
    except (OSError, pa.ArrowInvalid) as error:
        raise RequestError(f"{origin} cannot be read as Parquet: {error}") from error


READ_BUFFER = 1 << 20


def open_parquet(path: str) -> pq.ParquetFile:
    """Open a Parquet file for reading by row group; large column chunks are read as a stream, not
    at once.
    """
    source = path
    if is_url(path):
        filesystem, inside = open_filesystem(path)
        source = filesystem.open(inside, "rb")
    return pq.ParquetFile(
        source, pre_buffer=False, buffer_size=READ_BUFFER, page_checksum_verification=True
    )


def read_parquet(file: SourceFile) -> pa.Table:
    """Read a whole Parquet file.

    Raises:
        RequestError: it is damaged.
    """
    try:
        with open_parquet(file.path) as parquet:
            return parquet.read()
    except (OSError, pa.ArrowInvalid) as error:
        raise RequestError(f"{file.path} cannot be read as Parquet: {error}") from error

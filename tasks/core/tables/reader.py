"""The reader: just the rows of each piece, in bounded memory."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.errors import AfterfitError
from tasks.core.tables.frames import stored
from tasks.core.tables.parquet import open_parquet
from tasks.core.tables.pieces import Piece, RowRange

BATCH_VALUES = 1 << 22  # what is decoded at once
BATCH_ROWS = 1 << 17


class Reader:
    """Reads pieces in bounded memory; those that follow each other in a file are decoded in one
    pass.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        """Read these columns, in this order."""
        self._columns = list(columns)
        self._batch_rows = max(1, min(BATCH_ROWS, BATCH_VALUES // max(1, len(columns))))
        self._path = ""
        self._position = 0
        self._starts: list[int] = []
        self._rest: pa.RecordBatch | None = None
        self._parquet: pq.ParquetFile | None = None
        self._batches: Iterator[pa.RecordBatch] = iter(())

    def read(self, piece: Piece) -> pa.Table:
        """Read the rows of a piece.

        Raises:
            AfterfitError: a file is damaged, or has fewer rows than it had; with its name and the
                rows.
        """
        tables = _unified([self._read_slice(item) for item in piece.slices])
        return pa.concat_tables(tables, promote_options="permissive").combine_chunks()

    def close(self) -> None:
        """Close the file that is open."""
        self._batches, self._rest, self._path = iter(()), None, ""
        if self._parquet is not None:
            self._parquet.close()
            self._parquet = None

    def _read_slice(self, item: RowRange) -> pa.Table:
        try:
            return self._take(item)
        except (OSError, pa.ArrowException) as error:
            raise AfterfitError(f"{item}: {' '.join(str(error).split())}") from error

    def _take(self, item: RowRange) -> pa.Table:
        # What lies before the next row group that is needed is not decoded in vain.
        group = max((start for start in self._starts if start <= item.start), default=0)
        if (
            item.path != self._path
            or item.start < self._position
            or group > self._position + self._left_over()
        ):
            self._open(item)
        taken: list[pa.RecordBatch] = []
        left = item.rows
        while left:
            batch = self._next(item)
            skipped = min(len(batch), item.start + item.rows - left - self._position)
            part = batch.slice(skipped, left)
            self._position += skipped + len(part)
            self._rest = batch.slice(skipped + len(part))
            left -= len(part)
            taken.extend([part] if len(part) else [])
        return pa.Table.from_batches(taken).select(self._columns)

    def _left_over(self) -> int:
        return len(self._rest) if self._rest is not None else 0

    def _next(self, item: RowRange) -> pa.RecordBatch:
        if self._rest is not None and len(self._rest):
            return self._rest
        batch = next(self._batches, None)
        if batch is None:
            raise OSError(f"{item.origin} has fewer rows than when it was planned")
        return batch

    def _open(self, item: RowRange) -> None:
        """Open a file at the row group in which a slice starts."""
        self.close()
        self._parquet = open_parquet(item.path)
        metadata = self._parquet.metadata
        rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._starts = [0, *accumulate(rows)][: len(rows)]
        first = max(0, bisect_right(self._starts, item.start) - 1)
        self._batches = self._parquet.iter_batches(
            self._batch_rows,
            row_groups=list(range(first, len(rows))),
            columns=self._columns,
            use_threads=False,
        )
        self._path, self._position = item.path, self._starts[first] if rows else 0


def _unified(tables: Sequence[pa.Table]) -> list[pa.Table]:
    """Give columns that are of different types in different files the one type that their kind is
    stored as.
    """
    schemas = [table.schema for table in tables]
    odd = [
        name
        for name in schemas[0].names
        if len({schema.field(name).type for schema in schemas}) > 1
    ]
    unified = []
    for table in tables:
        for name in odd:
            table = table.set_column(table.schema.get_field_index(name), name, stored(table[name]))  # noqa: PLW2901
        unified.append(table)
    return unified


def read_piece(piece: Piece, columns: Sequence[str]) -> pa.Table:
    """Read the rows of one piece."""
    reader = Reader(columns)
    try:
        return reader.read(piece)
    finally:
        reader.close()

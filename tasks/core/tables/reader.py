"""The reader: just the rows of each piece, in bounded memory."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

import pyarrow as pa

from tasks.core.errors import AfterfitError
from tasks.core.tables.carried import carried_type, carry
from tasks.core.tables.frames import stored
from tasks.core.tables.key_columns import add_keys
from tasks.core.tables.open_files import OpenFile, check_still, open_file
from tasks.core.tables.parquet import open_parquet
from tasks.core.tables.pieces import Piece, RowRange
from tasks.core.tables.timestamps import check_dates

BATCH_VALUES = 1 << 22  # values decoded at once, at most
BATCH_ROWS = 1 << 17  # rows decoded at once, at most


class Reader:
    """Read pieces in bounded memory; decode those that follow each other in a file in one pass."""

    def __init__(self, columns: Sequence[str], batch_values: int = BATCH_VALUES) -> None:
        """Read these columns, in this order, and decode at most so many values at once."""
        most_rows = batch_values // max(1, len(columns))
        self._columns = list(columns)
        self._batch_rows = max(1, min(BATCH_ROWS, most_rows))
        self._path = ""
        self._file: OpenFile | None = None
        self._group_starts: list[int] = []  # the first row of each row group
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._rest: pa.RecordBatch | None = None  # of the last batch: what was not taken
        self._position = 0  # the row of the file that comes next

    def read(self, piece: Piece) -> pa.Table:
        """Read the rows of a piece.

        Raises:
            AfterfitError: a file is damaged, or has fewer rows than it had; with its name and the
                rows.
            SourceChangedError: a file is no longer what it was when the piece was planned.
        """
        tables = [self._read_range(item) for item in piece.slices]
        table = pa.concat_tables(_unify(tables), promote_options="permissive")
        return table.combine_chunks()

    def close(self) -> None:
        """Close the file that is open."""
        self._path = ""
        self._batches = iter(())
        self._rest = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read_range(self, item: RowRange) -> pa.Table:
        try:
            if not self._can_go_on_to(item):
                self._open(item)
            table = self._take(item)
        except (OSError, pa.ArrowException) as error:
            message = " ".join(str(error).split())
            raise AfterfitError(f"{item}: {message}") from error

        self._check(item)
        return table

    def _check(self, item: RowRange) -> None:
        """Refuse what was read of a file of the source if it is not what was planned."""
        if self._file is not None and not item.is_copied:
            check_still(self._file, item.revision)

    def _can_go_on_to(self, item: RowRange) -> bool:
        """Return whether a range is ahead in the open file, with no row group to skip before it."""
        if item.path != self._path or item.start < self._position:
            return False

        # Row groups before the one that is needed are not decoded in vain.
        group = self._row_group(item.start)
        decoded = self._position
        if self._rest is not None:
            decoded += len(self._rest)
        return self._group_starts[group] <= decoded

    def _open(self, item: RowRange) -> None:
        """Open a file at the row group in which a range starts."""
        self.close()
        self._file = open_file(item.path)
        parquet = open_parquet(self._file.stream)
        metadata = parquet.metadata
        rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._group_starts = [0, *accumulate(rows[:-1])]

        group = self._row_group(item.start)
        keys = dict(item.keys)
        self._batches = parquet.iter_batches(
            self._batch_rows,
            row_groups=list(range(group, len(rows))),
            columns=[name for name in self._columns if name not in keys],
            use_threads=False,
        )
        self._path = item.path
        self._position = self._group_starts[group]

    def _row_group(self, row: int) -> int:
        return max(0, bisect_right(self._group_starts, row) - 1)

    def _take(self, item: RowRange) -> pa.Table:
        """Take the rows of a range from the batches that come next; skip those before it."""
        taken: list[pa.RecordBatch] = []
        row, end = item.start, item.start + item.rows
        while row < end:
            batch = self._next_batch(item)
            skipped = min(len(batch), row - self._position)
            part = batch.slice(skipped, end - row)
            used = skipped + len(part)

            self._rest = batch.slice(used)
            self._position += used
            row += len(part)
            if len(part):
                taken.append(part)

        table = add_keys(pa.Table.from_batches(taken), item.keys)
        return table.select(self._columns)

    def _next_batch(self, item: RowRange) -> pa.RecordBatch:
        if self._rest is not None and len(self._rest):
            return self._rest

        batch = next(self._batches, None)
        if batch is None:
            raise OSError(f"{item.origin} has fewer rows than when it was planned")
        return batch


def _unify(tables: Sequence[pa.Table]) -> list[pa.Table]:
    """Cast columns whose types differ between files to one type, where there is one without a loss.

    An integer beyond 2**53 in an id must not become a float.
    """
    schemas = [table.schema for table in tables]
    differing, exact = [], []
    for name in schemas[0].names:
        types = {schema.field(name).type for schema in schemas}
        if len(types) > 1:
            differing.append(name)
        if len({carried_type(type_) for type_ in types}) == 1:
            exact.append(name)

    return [_store_columns(table, differing, exact) for table in tables]


def _store_columns(table: pa.Table, names: Sequence[str], exact: Sequence[str]) -> pa.Table:
    for name in names:
        position = table.schema.get_field_index(name)
        column = table[name]
        check_dates(column, name)
        one_type = carry(column) if name in exact else stored(column)
        table = table.set_column(position, name, one_type)
    return table


def read_piece(piece: Piece, columns: Sequence[str], batch_values: int = BATCH_VALUES) -> pa.Table:
    """Read the rows of one piece, as a `Reader` does.

    Raises:
        AfterfitError: a file is damaged, has fewer rows than it had, or changed.
    """
    reader = Reader(columns, batch_values)
    try:
        return reader.read(piece)
    finally:
        reader.close()

"""Pieces: ranges of consecutive rows, the unit of idempotent work; planned from metadata alone."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.core.columns import stored
from tasks.core.errors import AfterfitError
from tasks.core.sources import open_parquet

PIECE_ROWS = 1 << 17  # what a piece holds at least, where its source has as many
PIECE_VALUES = 1 << 24  # and what it holds at most where rows are very wide: memory counts values
BATCH_VALUES = 1 << 22  # what is decoded at once
PIECES_PER_BUNDLE = 4  # a bundle is a Prefect task, which costs about 0.1 s: a few per cent of its work
MOST_BUNDLES = 200  # more help nobody: neither the database behind the Prefect UI nor a person who looks at it


@dataclass(frozen=True)
class TableGroups:
    """A Parquet file to read and the rows of each of its row groups.

    `path` is a file of the source, or the Parquet copy of a CSV file of it; `origin` names the former, and `input` is
    its position in the source.
    """

    path: str
    origin: str
    input: int
    group_rows: tuple[int, ...]


@dataclass(frozen=True)
class Slice:
    """`rows` rows of a file from row `start` on."""

    path: str
    origin: str
    input: int
    start: int
    rows: int

    def __str__(self) -> str:
        """Name the file and the rows, as an error message does."""
        return f"{self.origin}, rows {self.start:,} to {self.start + self.rows - 1:,}"


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of the source: a slice of one file, or many tiny files together.

    `first_row` is the position of its first row in the whole source.
    """

    number: int
    slices: tuple[Slice, ...]
    first_row: int

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(item.rows for item in self.slices)

    def locate(self, row: int) -> tuple[str, int]:
        """Find a row of the piece in its file: the file's name, and the position in it.

        >>> Piece(0, (Slice("a", "a", 0, 5, 2), Slice("b", "b", 1, 0, 9)), 100).locate(3)
        ('b', 1)
        """
        for item in self.slices:
            if row < item.rows:
                return item.origin, item.start + row
            row -= item.rows
        raise IndexError(row)


@dataclass(frozen=True)
class Bundle:
    """The pieces that one Prefect task scores."""

    number: int
    pieces: tuple[Piece, ...]

    @property
    def start(self) -> int:
        """Its first row, as a row of the source."""
        return self.pieces[0].first_row

    @property
    def last(self) -> int:
        """Its last row, as a row of the source."""
        return self.pieces[-1].first_row + self.pieces[-1].rows - 1

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(piece.rows for piece in self.pieces)


def piece_rows(columns: int) -> int:
    """Tell how many rows a piece of a table with so many columns holds at least.

    >>> piece_rows(20), piece_rows(10_000)
    (131072, 1677)
    """
    return max(1, min(PIECE_ROWS, PIECE_VALUES // max(1, columns)))


def plan_pieces(tables: Sequence[TableGroups], at_least: int) -> tuple[Piece, ...]:
    """Cut files into pieces of `at_least` to three times as many rows, at the ends of row groups where there are some.

    Small row groups and tiny files are taken together, huge row groups are cut; only the last piece may be smaller.

    >>> tables = [TableGroups("a", "a", 0, (30, 30, 30, 250)), TableGroups("b", "b", 1, (5,))]
    >>> [[(item.origin, item.start, item.rows) for item in piece.slices] for piece in plan_pieces(tables, 60)]
    [[('a', 0, 60)], [('a', 60, 92)], [('a', 152, 63)], [('a', 215, 62)], [('a', 277, 63)], [('b', 0, 5)]]
    """
    pieces: list[Piece] = []
    taken: list[Slice] = []
    first_row = rows = 0
    for item in _chunks(tables, at_least):
        taken.append(item)
        rows += item.rows
        if rows >= at_least:
            pieces.append(Piece(len(pieces), _merged(taken), first_row))
            first_row += rows
            taken, rows = [], 0
    if taken:
        pieces.append(Piece(len(pieces), _merged(taken), first_row))
    return tuple(pieces)


def _chunks(tables: Sequence[TableGroups], at_least: int) -> Iterator[Slice]:
    """Give each row group as a slice, a huge one as several."""
    for table in tables:
        start = 0
        for rows in table.group_rows:
            count = max(1, rows // at_least)
            for low, high in pairwise(rows * part // count for part in range(count + 1)):
                if high > low:
                    yield Slice(table.path, table.origin, table.input, start + low, high - low)
            start += rows


def _merged(slices: Sequence[Slice]) -> tuple[Slice, ...]:
    """Join slices that follow each other in one file."""
    merged: list[Slice] = []
    for item in slices:
        if merged and merged[-1].input == item.input:
            merged[-1] = Slice(item.path, item.origin, item.input, merged[-1].start, merged[-1].rows + item.rows)
        else:
            merged.append(item)
    return tuple(merged)


def bundle_pieces(pieces: Sequence[Piece], lanes: int) -> tuple[Bundle, ...]:
    """Put consecutive pieces together into bundles of about as many pieces.

    Args:
        pieces: the pieces, in order.
        lanes: how many bundles are scored side by side; each lane gets two of them or more, to end at about one time.
    """
    wanted = max(2 * lanes, -(-len(pieces) // PIECES_PER_BUNDLE))
    count = min(MOST_BUNDLES, wanted, len(pieces))
    edges = [len(pieces) * part // count for part in range(count + 1)] if count else []
    return tuple(Bundle(number, tuple(pieces[low:high])) for number, (low, high) in enumerate(pairwise(edges)))


class Reader:
    """Reads pieces in bounded memory; those that follow each other in a file are decoded in one pass."""

    def __init__(self, columns: Sequence[str]) -> None:
        """Read these columns, in this order."""
        self._columns = list(columns)
        self._batch_rows = max(1, min(1 << 17, BATCH_VALUES // max(1, len(columns))))
        self._path = ""
        self._position = 0
        self._starts: list[int] = []
        self._rest: pa.RecordBatch | None = None
        self._parquet: pq.ParquetFile | None = None
        self._batches: Iterator[pa.RecordBatch] = iter(())

    def read(self, piece: Piece) -> pa.Table:
        """Read the rows of a piece.

        Raises:
            AfterfitError: a file is damaged, or has fewer rows than it had; with its name and the rows.
        """
        tables = _unified([self._read_slice(item) for item in piece.slices])
        return pa.concat_tables(tables, promote_options="permissive").combine_chunks()

    def close(self) -> None:
        """Close the file that is open."""
        self._batches, self._rest, self._path = iter(()), None, ""
        if self._parquet is not None:
            self._parquet.close()
            self._parquet = None

    def _read_slice(self, item: Slice) -> pa.Table:
        try:
            return self._take(item)
        except (OSError, pa.ArrowException) as error:
            raise AfterfitError(f"{item}: {' '.join(str(error).split())}") from error

    def _take(self, item: Slice) -> pa.Table:
        # What lies before the next row group that is needed is not decoded in vain.
        group = max((start for start in self._starts if start <= item.start), default=0)
        if item.path != self._path or item.start < self._position or group > self._position + self._left_over():
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

    def _next(self, item: Slice) -> pa.RecordBatch:
        if self._rest is not None and len(self._rest):
            return self._rest
        batch = next(self._batches, None)
        if batch is None:
            raise OSError(f"{item.origin} has fewer rows than when it was planned")
        return batch

    def _open(self, item: Slice) -> None:
        """Open a file at the row group in which a slice starts."""
        self.close()
        self._parquet = open_parquet(item.path)
        metadata = self._parquet.metadata
        rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._starts = [0, *accumulate(rows)][: len(rows)]
        first = max(0, bisect_right(self._starts, item.start) - 1)
        self._batches = self._parquet.iter_batches(
            self._batch_rows, row_groups=list(range(first, len(rows))), columns=self._columns, use_threads=False
        )
        self._path, self._position = item.path, self._starts[first] if rows else 0


def _unified(tables: Sequence[pa.Table]) -> list[pa.Table]:
    """Give columns that are of different types in different files the one type that their kind is stored as."""
    schemas = [table.schema for table in tables]
    odd = [name for name in schemas[0].names if len({schema.field(name).type for schema in schemas}) > 1]
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

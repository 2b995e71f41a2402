"""Pieces: ranges of consecutive rows, the unit of idempotent work; planned from metadata alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tasks.core.tables.key_columns import KeyValues

PIECE_ROWS = 1 << 17  # rows in a piece, at least (a smaller source is one piece)
# Values in these rows, at most: rows may be very wide, and memory counts values.
PIECE_VALUES = 1 << 24
# Pieces. A bundle is a Prefect task, which costs as much as half a piece of a quick model.
SMALL_BUNDLE = 2
# Pieces. Problems that many rows share, and progress, are reported between bundles.
LARGE_BUNDLE = 16
# More help neither the database behind the Prefect UI nor a person who looks at it.
MOST_BUNDLES = 200


@dataclass(frozen=True)
class TableGroups:
    """A Parquet file to read and the rows of each of its row groups.

    `path` is a file of the source, or the Parquet copy of a CSV file of it; `origin` names the
    former, `revision` is its revision, and `input` its position in the source. `keys` are the
    columns that its path holds.
    """

    path: str
    origin: str
    revision: str
    input: int
    group_rows: tuple[int, ...]
    keys: KeyValues = ()


@dataclass(frozen=True)
class RowRange:
    """`rows` rows of a file from row `start` on."""

    path: str
    origin: str
    revision: str
    input: int
    start: int
    rows: int
    keys: KeyValues = ()

    @property
    def is_copied(self) -> bool:
        """Whether the rows are read from a copy of the file."""
        return self.path != self.origin

    def __str__(self) -> str:
        """Name the file and the rows, as an error message does."""
        last = self.start + self.rows - 1
        return f"{self.origin}, rows {self.start:,} to {last:,}"


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of the source: a slice of one file, or many tiny files together.

    `first_row` is the position of its first row in the whole source.
    """

    number: int
    slices: tuple[RowRange, ...]
    first_row: int

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(item.rows for item in self.slices)

    def locate(self, row: int) -> tuple[str, int]:
        """Return the file that holds a row of the piece, and the position of the row in it.

        >>> ranges = RowRange("a", "a", "7", 0, 5, 2), RowRange("b", "b", "8", 1, 0, 9)
        >>> Piece(0, ranges, first_row=100).locate(3)
        ('b', 1)

        Raises:
            IndexError: the piece has fewer rows.
        """
        rows_before = 0
        for item in self.slices:
            offset = row - rows_before
            if offset < item.rows:
                return item.origin, item.start + offset
            rows_before += item.rows
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
        last_piece = self.pieces[-1]
        return last_piece.first_row + last_piece.rows - 1

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(piece.rows for piece in self.pieces)

    def halves(self) -> tuple["Bundle", "Bundle"]:
        """Return it as two bundles; it must have two pieces or more."""
        middle = len(self.pieces) // 2
        first = Bundle(self.number, self.pieces[:middle])
        second = Bundle(self.number, self.pieces[middle:])
        return first, second


def piece_rows(columns: int) -> int:
    """Return how many rows a piece of a table with so many columns has at least.

    >>> piece_rows(20), piece_rows(10_000)
    (131072, 1677)
    """
    most = PIECE_VALUES // max(1, columns)
    return max(1, min(PIECE_ROWS, most))


def plan_pieces(tables: Sequence[TableGroups], at_least: int) -> tuple[Piece, ...]:
    """Cut files into pieces of `at_least` to three times as many rows.

    They end where row groups end, if these are not huge: small row groups and tiny files are taken
    together, huge row groups are cut. Only the last piece may be smaller.

    >>> a = TableGroups("a", "a", "7", 0, (30, 30, 150))
    >>> b = TableGroups("b", "b", "8", 1, (5,))
    >>> for piece in plan_pieces([a, b], 60):
    ...     print([(item.origin, item.start, item.rows) for item in piece.slices])
    [('a', 0, 60)]
    [('a', 60, 75)]
    [('a', 135, 75)]
    [('b', 0, 5)]
    """
    pieces: list[Piece] = []
    taken: list[RowRange] = []
    first_row = rows = 0
    for item in _row_ranges(tables, at_least):
        taken.append(item)
        rows += item.rows
        if rows >= at_least:
            piece = Piece(len(pieces), _merge_adjacent(taken), first_row)
            pieces.append(piece)
            first_row += rows
            taken, rows = [], 0

    if taken:
        last_piece = Piece(len(pieces), _merge_adjacent(taken), first_row)
        pieces.append(last_piece)
    return tuple(pieces)


def _row_ranges(tables: Sequence[TableGroups], at_least: int) -> Iterator[RowRange]:
    """Yield each row group as a range of rows, a huge one as several; leave empty ones out."""
    for table in tables:
        start = 0
        for rows in table.group_rows:
            parts = max(1, rows // at_least)
            edges = [start + rows * part // parts for part in range(parts + 1)]
            for low, high in pairwise(edges):
                if high > low:
                    where = (table.path, table.origin, table.revision, table.input)
                    yield RowRange(*where, low, high - low, table.keys)

            start += rows


def _merge_adjacent(ranges: Sequence[RowRange]) -> tuple[RowRange, ...]:
    """Join ranges of rows that follow each other in one file."""
    merged = [ranges[0]]
    for item in ranges[1:]:
        last = merged[-1]
        if last.input == item.input:
            merged[-1] = replace(last, rows=last.rows + item.rows)
        else:
            merged.append(item)

    return tuple(merged)


def bundle_pieces(pieces: Sequence[Piece], parallelism: int) -> tuple[Bundle, ...]:
    """Put consecutive pieces together into bundles, large ones first.

    So all workers finish at about the same time.

    >>> [len(bundle.pieces) for bundle in bundle_pieces([Piece(n, (), 0) for n in range(61)], 2)]
    [11, 9, 7, 6, 5, 4, 4, 3, 2, 2, 2, 2, 2, 2]

    Args:
        pieces: the pieces, in order.
        parallelism: how many bundles are scored side by side; where there are pieces enough, there
            are at least twice as many bundles.
    """
    least = max(1, _divide_up(len(pieces), MOST_BUNDLES))
    most = max(least, len(pieces) // (2 * parallelism))

    bundles: list[Bundle] = []
    start = 0
    while start < len(pieces):
        left = len(pieces) - start
        share = _divide_up(left, 3 * parallelism)
        wanted = max(least, SMALL_BUNDLE, min(LARGE_BUNDLE, share))
        end = start + min(most, wanted)

        bundle = Bundle(len(bundles), tuple(pieces[start:end]))
        bundles.append(bundle)
        start = end

    return tuple(bundles)


def _divide_up(dividend: int, divisor: int) -> int:
    """Return the quotient of whole numbers, rounded up."""
    return -(-dividend // divisor)

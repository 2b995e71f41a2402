"""Pieces: ranges of consecutive rows, the unit of idempotent work; planned from metadata alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

PIECE_ROWS = 1 << 17  # what a piece holds at least, where its source has as many
PIECE_VALUES = 1 << 24  # and what it holds at most where rows are very wide: memory counts values
SMALL_BUNDLE = (
    2  # pieces; a bundle is a Prefect task, which costs as much as half a piece of a quick model
)
LARGE_BUNDLE = (
    16  # pieces: what is wrong with many rows, and how far a run is, is told between bundles
)
MOST_BUNDLES = (
    200  # more help nobody: neither the database behind the Prefect UI nor a person who looks at it
)


@dataclass(frozen=True)
class TableGroups:
    """A Parquet file to read and the rows of each of its row groups.

    `path` is a file of the source, or the Parquet copy of a CSV file of it; `origin` names the
    former, and `input` is its position in the source.
    """

    path: str
    origin: str
    input: int
    group_rows: tuple[int, ...]


@dataclass(frozen=True)
class RowRange:
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
    slices: tuple[RowRange, ...]
    first_row: int

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(item.rows for item in self.slices)

    def locate(self, row: int) -> tuple[str, int]:
        """Find a row of the piece in its file: the file's name, and the position in it.

        >>> Piece(0, (RowRange("a", "a", 0, 5, 2), RowRange("b", "b", 1, 0, 9)), 100).locate(3)
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

    def halves(self) -> tuple["Bundle", "Bundle"]:
        """Give it as two bundles; it has two pieces or more."""
        middle = len(self.pieces) // 2
        return Bundle(self.number, self.pieces[:middle]), Bundle(self.number, self.pieces[middle:])


def piece_rows(columns: int) -> int:
    """Tell how many rows a piece of a table with so many columns holds at least.

    >>> piece_rows(20), piece_rows(10_000)
    (131072, 1677)
    """
    return max(1, min(PIECE_ROWS, PIECE_VALUES // max(1, columns)))


def plan_pieces(tables: Sequence[TableGroups], at_least: int) -> tuple[Piece, ...]:
    """Cut files into pieces of `at_least` to three times as many rows, at the ends of row groups
    where there are some.

    Small row groups and tiny files are taken together, huge row groups are cut; only the last piece
    may be smaller.

    >>> tables = [TableGroups("a", "a", 0, (30, 30, 30, 250)), TableGroups("b", "b", 1, (5,))]
    >>> [[(item.origin, item.start, item.rows) for item in piece.slices] for piece in plan_pieces(tables, 60)]
    [[('a', 0, 60)], [('a', 60, 92)], [('a', 152, 63)], [('a', 215, 62)], [('a', 277, 63)], [('b', 0, 5)]]
    """
    pieces: list[Piece] = []
    taken: list[RowRange] = []
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


def _chunks(tables: Sequence[TableGroups], at_least: int) -> Iterator[RowRange]:
    """Give each row group as a slice, a huge one as several."""
    for table in tables:
        start = 0
        for rows in table.group_rows:
            count = max(1, rows // at_least)
            for low, high in pairwise(rows * part // count for part in range(count + 1)):
                if high > low:
                    yield RowRange(table.path, table.origin, table.input, start + low, high - low)
            start += rows


def _merged(slices: Sequence[RowRange]) -> tuple[RowRange, ...]:
    """Join slices that follow each other in one file."""
    merged: list[RowRange] = []
    for item in slices:
        if merged and merged[-1].input == item.input:
            merged[-1] = RowRange(
                item.path, item.origin, item.input, merged[-1].start, merged[-1].rows + item.rows
            )
        else:
            merged.append(item)
    return tuple(merged)


def bundle_pieces(pieces: Sequence[Piece], parallelism: int) -> tuple[Bundle, ...]:
    """Put consecutive pieces together into bundles, large ones first, so that all parallelism end
    at about one time.

    >>> [len(bundle.pieces) for bundle in bundle_pieces([Piece(n, (), 0) for n in range(61)], 2)]
    [11, 9, 7, 6, 5, 4, 4, 3, 2, 2, 2, 2, 2, 2]

    Args:
        pieces: the pieces, in order.
        parallelism: how many bundles are scored side by side; where there are pieces enough, each
            lane gets two or more.
    """
    least = max(1, -(-len(pieces) // MOST_BUNDLES))
    most = max(least, len(pieces) // (2 * parallelism))
    bundles: list[Bundle] = []
    start = 0
    while start < len(pieces):
        share = -(-(len(pieces) - start) // (3 * parallelism))
        size = min(most, max(least, SMALL_BUNDLE, min(LARGE_BUNDLE, share)))
        bundles.append(Bundle(len(bundles), tuple(pieces[start : start + size])))
        start += size
    return tuple(bundles)

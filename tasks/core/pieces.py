"""Pieces: ranges of consecutive rows, the unit of idempotent work; planned from metadata alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa

from tasks.core.errors import RequestError
from tasks.core.sources import SourceFile, open_parquet

PIECE_ROWS = 1 << 17  # what a piece holds at least, where its file has as many
BATCH_ROWS = 1 << 16  # what is decoded at once
MOST_BUNDLES = 64  # a bundle is a Prefect task: enough for even work and a moving progress bar, few for its database


@dataclass(frozen=True)
class Piece:
    """`rows` rows of a file from row `start` on; `first_row` is their position in the whole source.

    `file` is what is read: a file of the source, or the Parquet copy of a CSV file of it. `origin` names the former.
    """

    number: int
    file: SourceFile
    origin: str
    start: int
    rows: int
    first_row: int


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


def plan_pieces(files: Sequence[SourceFile], origins: Sequence[str]) -> tuple[Piece, ...]:
    """Cut Parquet files into pieces at the ends of row groups; a huge row group is cut into slices."""
    pieces: list[Piece] = []
    first_row = 0
    for file, origin in zip(files, origins, strict=True):
        for start, rows in cut(group_rows(file)):
            pieces.append(Piece(len(pieces), file, origin, start, rows, first_row))
            first_row += rows
    return tuple(pieces)


def group_rows(file: SourceFile) -> list[int]:
    """List the rows of each row group.

    Raises:
        RequestError: the file is damaged.
    """
    try:
        with open_parquet(file) as parquet:
            metadata = parquet.metadata
            return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    except (OSError, pa.ArrowInvalid) as error:
        raise RequestError(f"{file.path} cannot be read as Parquet: {error}") from error


def cut(groups: Sequence[int], at_least: int = PIECE_ROWS) -> Iterator[tuple[int, int]]:
    """Give (start, rows) of each piece of a file whose row groups have these rows.

    >>> list(cut([30, 30, 30, 250], at_least=60))
    [(0, 60), (60, 30), (90, 62), (152, 63), (215, 62), (277, 63)]
    """
    start = rows = 0
    for group in groups:
        if group >= 2 * at_least:
            if rows:
                yield start, rows
                start, rows = start + rows, 0
            edges = [start + group * part // (group // at_least) for part in range(group // at_least + 1)]
            yield from ((low, high - low) for low, high in pairwise(edges))
            start += group
            continue
        rows += group
        if rows >= at_least:
            yield start, rows
            start, rows = start + rows, 0
    if rows:
        yield start, rows


def bundle_pieces(pieces: Sequence[Piece], most: int = MOST_BUNDLES) -> tuple[Bundle, ...]:
    """Put consecutive pieces together into at most `most` bundles of about as many pieces."""
    count = min(most, len(pieces))
    edges = [len(pieces) * part // count for part in range(count + 1)] if count else []
    return tuple(Bundle(number, tuple(pieces[low:high])) for number, (low, high) in enumerate(pairwise(edges)))


def read_piece(piece: Piece, columns: Sequence[str]) -> pa.Table:
    """Read just the rows of a piece; only the row groups that hold them are decoded, in bounded memory."""
    taken: list[pa.RecordBatch] = []
    with open_parquet(piece.file) as parquet:
        groups, skip = _covering(parquet.metadata, piece)
        left = piece.rows
        for batch in parquet.iter_batches(BATCH_ROWS, row_groups=groups, columns=list(columns), use_threads=False):
            part = batch.slice(min(skip, len(batch)), left)
            skip = max(0, skip - len(batch))
            left -= len(part)
            taken.append(part)
            if not left:
                break
        schema = parquet.schema_arrow
    order = [schema.field(name) for name in columns]
    table = (
        pa.Table.from_batches([batch for batch in taken if len(batch)] or taken)
        if taken
        else pa.schema(order).empty_table()
    )
    return table.select(list(columns))


def _covering(metadata: pa.parquet.FileMetaData, piece: Piece) -> tuple[list[int], int]:
    """List the row groups that hold a piece, and how many rows come before it in the first of them."""
    groups: list[int] = []
    skip = start = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if start < piece.start + piece.rows and start + rows > piece.start:
            skip = skip if groups else piece.start - start
            groups.append(group)
        start += rows
    return groups, skip

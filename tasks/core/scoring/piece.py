"""A piece: read, scored and written."""

from collections import Counter

import pyarrow as pa

from tasks.core.errors import AfterfitError
from tasks.core.model.scorer import Scored, Scorer
from tasks.core.output.manifest import Part, part_name
from tasks.core.output.staging import (
    Staging,
    finished_part,
    input_slices,
    read_from,
    write_part,
)
from tasks.core.score_columns import INPUT, INPUT_ROW
from tasks.core.scoring.run import ScoringRun
from tasks.core.scoring.scorer_cache import ScorerCache
from tasks.core.tables.pieces import Piece
from tasks.core.tables.reader import Reader

EXAMPLES = 3


def score_piece(
    piece: Piece, run: ScoringRun, staging: Staging, reader: Reader, scorers: ScorerCache
) -> Part:
    """Read, score and write the rows of one piece, unless that was done before.

    Raises:
        AfterfitError: with the file and the rows, where they cannot be read or scored.
    """
    name = part_name(run.destination.run_key, piece.number)
    if part := finished_part(staging, name, piece):
        return part

    table = reader.read(piece)
    scorer = scorers.get(run.options, table)
    try:
        scored = scorer.score(table, piece.first_row)
    except AfterfitError as error:
        raise AfterfitError(f"{_place_of(piece)}: {error}") from error

    part = describe_part(name, piece, scored, scorer)
    return write_part(staging, part, scored.scores, locate_rejected(scored, piece))


def _place_of(piece: Piece) -> str:
    """Name the files and rows of a piece, as an error message does."""
    first = piece.slices[0]
    last = piece.slices[-1]
    return str(first) if first is last else f"{first}, to {last}"


def describe_part(name: str, piece: Piece, scored: Scored, scorer: Scorer) -> Part:
    """Return the part of a piece as it is before its files are written."""
    first = sorted(scored.rejections)[:EXAMPLES]
    reasons = Counter(rejection.reason for rejection in scored.rejections.values())

    return Part(
        name=name,
        rows=len(scored.scores),
        size=0,
        sha256=None,
        slices=input_slices(piece),
        read_from=read_from(piece),
        scored_by=scorer.predictor.scored_by,
        note=scorer.predictor.note,
        quarantined=len(scored.rejections),
        reasons=dict(reasons),
        unknown=scored.unknown,
        examples=tuple(describe_row(piece, row, scored) for row in first),
    )


def describe_row(piece: Piece, row: int, scored: Scored) -> str:
    """Name a rejected row of a piece for a person."""
    origin, number = piece.locate(row)
    rejection = scored.rejections[row]
    return f"row {number:,} (from 0) of {origin} ({rejection.reason}: {rejection.detail})"


def locate_rejected(scored: Scored, piece: Piece) -> pa.Table | None:
    """Return the rejected rows with the file of each, and its row there, counted from 0."""
    if scored.rejected is None:
        return None

    places = [piece.locate(row) for row in sorted(scored.rejections)]
    files = pa.array([origin for origin, _ in places], pa.string())
    rows = pa.array([row for _, row in places], pa.int64())
    return scored.rejected.add_column(0, INPUT_ROW, rows).add_column(0, INPUT, files)

"""A piece: read, scored and written."""

import threading
from collections import Counter

import pyarrow as pa
from joblib import cpu_count

from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import Part, part_name
from tasks.core.output.quarantine import INPUT, INPUT_ROW
from tasks.core.output.staging import Staging, finished_part, input_slices, write_part
from tasks.core.scoring.run import ScoringRun
from tasks.core.scoring.scorer import Scored, Scorer
from tasks.core.scoring.scorer_cache import load_scorer
from tasks.core.tables.pieces import Piece
from tasks.core.tables.reader import Reader

EXAMPLES = 3
_cores = threading.BoundedSemaphore(cpu_count())  # windows that are scored side by side share them


def score_piece(piece: Piece, run: ScoringRun, staging: Staging, reader: Reader) -> Part:
    """Read, score and write the rows of one piece.

    Raises:
        AfterfitError: with the file and the rows, where they cannot be read or scored.
    """
    name = part_name(run.key, piece.number)
    if part := finished_part(staging, name, input_slices(piece)):
        return part
    table = reader.read(piece)
    scorer = load_scorer(run, table)
    try:
        with _cores:
            scored = scorer.score(table, piece.first_row)
    except AfterfitError as error:
        where = f"{piece.slices[0]}" + (f", to {piece.slices[-1]}" if len(piece.slices) > 1 else "")
        raise AfterfitError(f"{where}: {error}") from error
    return write_part(
        staging, describe_part(name, piece, scored, scorer), scored.scores, locate(scored, piece)
    )


def describe_part(name: str, piece: Piece, scored: Scored, scorer: Scorer) -> Part:
    """Describe the part of a piece before its files are written."""
    first = sorted(scored.rejections)[:EXAMPLES]
    return Part(
        name=name,
        rows=len(scored.scores),
        size=0,
        sha256=None,
        slices=input_slices(piece),
        scored_by=scorer.predictor.scored_by,
        note=scorer.predictor.note,
        quarantined=len(scored.rejections),
        reasons=dict(Counter(rejection.reason for rejection in scored.rejections.values())),
        unknown=scored.unknown,
        examples=tuple(example(piece, row, scored) for row in first),
    )


def example(piece: Piece, row: int, scored: Scored) -> str:
    """Name a rejected row for a person."""
    origin, number = piece.locate(row)
    rejection = scored.rejections[row]
    return f"row {number:,} (from 0) of {origin} ({rejection.reason}: {rejection.detail})"


def locate(scored: Scored, piece: Piece) -> pa.Table | None:
    """Give the rejected rows with the file each stands in, and its row there, counted from 0."""
    if scored.rejected is None:
        return None
    places = [piece.locate(row) for row in sorted(scored.rejections)]
    rejected = scored.rejected.add_column(
        0, INPUT_ROW, pa.array([row for _, row in places], pa.int64())
    )
    return rejected.add_column(0, INPUT, pa.array([origin for origin, _ in places], pa.string()))

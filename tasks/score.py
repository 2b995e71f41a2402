"""Score a bundle of pieces: the task that runs on every worker."""

from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from prefect.logging import get_run_logger

from tasks.core.card import MODEL, check_files, read_card
from tasks.core.commit import write_part
from tasks.core.errors import AfterfitError
from tasks.core.manifest import Part, part_name
from tasks.core.models import load_pipeline
from tasks.core.pieces import Bundle, Piece, read_piece
from tasks.core.plan import Run, rows_of
from tasks.core.scorer import Scorer
from tasks.uncached import uncached_task


@uncached_task(task_run_name="score rows {bundle.start:,} to {bundle.last:,}")
def score_bundle(bundle: Bundle, run: Run, staging: str) -> tuple[Part, ...]:
    """Score each piece of a bundle into its part."""
    parts = tuple(score_piece(piece, run, Path(staging)) for piece in bundle.pieces)
    get_run_logger().info("scored %s rows in %s pieces", f"{rows_of(bundle.pieces):,}", len(parts))
    return parts


def score_piece(piece: Piece, run: Run, staging: Path) -> Part:
    """Read, score and write the rows of one piece.

    Raises:
        AfterfitError: with the file and the rows, where they cannot be read or scored.
    """
    scorer = load_scorer(run)
    name = part_name(run.key, piece.number)
    try:
        scores = scorer.score(read_piece(piece, scorer.columns), piece.first_row)
    except (AfterfitError, OSError, pa.ArrowInvalid) as error:
        rows = f"rows {piece.start:,} to {piece.start + piece.rows - 1:,}"
        raise AfterfitError(f"{piece.origin}, {rows}: {error}") from error
    sha256 = write_part(scores, staging / name)
    return Part(name, len(scores), sha256, piece.origin, piece.start)


@lru_cache(maxsize=1)
def load_scorer(run: Run) -> Scorer:
    """Load the model of a run, once in each worker."""
    check_files(run.model)
    folder = Path(run.model.folder)
    return Scorer(
        load_pipeline(folder / MODEL), read_card(folder).features, run.model.version, run.id, run.keep, run.proba
    )

"""Score a bundle of pieces: the task that runs on every worker."""

from contextlib import closing
from pathlib import Path

from prefect.logging import get_run_logger

from tasks.core.model.metadata import read_metadata
from tasks.core.model.threads import one_thread
from tasks.core.output.manifest import Part
from tasks.core.output.staging import Staging
from tasks.core.scoring.piece import score_piece
from tasks.core.scoring.run import ScoringRun
from tasks.core.scoring.scorer import columns_read
from tasks.core.tables.csv_copy import PROBLEM
from tasks.core.tables.pieces import Bundle
from tasks.core.tables.reader import Reader
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="score rows {bundle.start:,} to {bundle.last:,}")
def score_bundle(bundle: Bundle, run: ScoringRun, staging: Staging) -> tuple[Part, ...]:
    """Score each piece of a bundle into its part; parts that are finished already stay."""
    card = read_metadata(Path(run.model.folder))
    copied = bundle.pieces[0].slices[0].path != bundle.pieces[0].slices[0].origin
    reader = Reader(
        [*columns_read(card.features, run.id, run.keep), *([PROBLEM] if copied else [])]
    )
    with closing(reader), one_thread():
        parts = tuple(score_piece(piece, run, staging, reader) for piece in bundle.pieces)
    get_run_logger().info("scored %s rows in %s pieces", f"{bundle.rows:,}", len(parts))
    return parts

"""Score a bundle of pieces: the task that runs on every worker."""

from contextlib import closing

from prefect.logging import get_run_logger

from tasks.core.model.open import open_metadata
from tasks.core.model.scorer import columns_read
from tasks.core.model.threads import one_thread
from tasks.core.output.manifest import Part
from tasks.core.output.staging import Staging
from tasks.core.scoring.piece import score_piece
from tasks.core.scoring.run import ScoringRun
from tasks.core.scoring.scorer_cache import ScorerCache
from tasks.core.tables.csv_copy import PROBLEM
from tasks.core.tables.pieces import Bundle
from tasks.core.tables.reader import Reader
from tasks.idempotent import idempotent_task

# Global, because a task is handed nothing but its parameters, and a worker keeps its models from
# task to task. Two: while a new version takes over, the old one may still have bundles to score.
SCORERS = ScorerCache(size=2)


def scorers_of_this_process() -> ScorerCache:
    """Return the scorers of the process this runs in.

    A task travels to a worker with the objects it names. This function travels by its name.
    """
    return SCORERS


@idempotent_task(task_run_name="score rows {bundle.start:,} to {bundle.last:,}")
def score_bundle(bundle: Bundle, run: ScoringRun, staging: Staging) -> tuple[Part, ...]:
    """Score each piece of a bundle into its part; parts that are finished already stay."""
    metadata = open_metadata(run.options.model)
    columns = columns_read(metadata.features, run.options.columns)
    first = bundle.pieces[0].slices[0]
    if first.is_copied:  # from a CSV file
        columns.append(PROBLEM)

    scorers = scorers_of_this_process()
    with closing(Reader(columns)) as reader, one_thread():
        pieces = bundle.pieces
        parts = tuple(score_piece(piece, run, staging, reader, scorers) for piece in pieces)

    get_run_logger().info("scored %s rows in %s pieces", f"{bundle.rows:,}", len(parts))
    return parts

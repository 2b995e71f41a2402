"""Try on the first rows how a model shares the cores of this machine: some hold Python's lock while
they predict.
"""

import sys
from pathlib import Path

from prefect.logging import get_run_logger

from tasks.core.errors import AfterfitError
from tasks.core.model.metadata import MODEL, read_metadata
from tasks.core.scoring.plan import Planned
from tasks.core.scoring.run import ScoringRun
from tasks.core.scoring.scorer import columns_read
from tasks.core.scoring.scorer_cache import forget_scorers, load_scorer
from tasks.core.scoring.worker_choice import processes_are_faster
from tasks.core.tables.pieces import Piece
from tasks.core.tables.reader import read_piece
from tasks.idempotent import idempotent_task

TRIED_FROM = 1_000_000  # rows: fewer are scored before worker processes have started, or soon after
TRIED_ROWS = 1 << 15  # enough for the overhead of a call, which holds the lock, not to count
TRIED_SHARE = 0.02  # of the work, at most: a model may take a millisecond for a row
MODEL_BYTES = 1 << 28  # of a model that each process may hold for itself
FIRST_ROWS = 256  # on which nothing is timed


def is_worth_trying(planned: Planned, cores: int) -> bool:
    """Tell whether worker processes come into question.

    A script of the user's own is left alone: each process that it starts may run it anew.
    """
    main = sys.modules["__main__"]
    is_ours = main.__spec__ is not None or Path(getattr(main, "__file__", "")).name == "afterfit"
    small = (Path(planned.run.model.folder) / MODEL).stat().st_size <= MODEL_BYTES
    return is_ours and small and cores > 1 and planned.rows_unfinished >= TRIED_FROM


@idempotent_task(task_run_name="try whether threads or processes score faster")
def choose_workers(run: ScoringRun, first: Piece, rows: int, cores: int) -> int | None:
    """Tell how many worker processes pay for so many rows; None where threads of this process are
    as good.

    Args:
        run: the scoring run.
        first: the piece whose rows are tried.
        rows: how many rows are to be scored.
        cores: how many tasks run side by side.
    """
    try:
        table = read_piece(
            first, columns_read(read_metadata(Path(run.model.folder)).features, run.id, run.keep)
        )
        few = table.slice(0, max(FIRST_ROWS, min(TRIED_ROWS, int(rows * TRIED_SHARE / cores))))
        predictor = load_scorer(run, table).predictor
        predictor.predict(few.slice(0, FIRST_ROWS), proba=run.proba)  # which loads what it needs
        paying = processes_are_faster(
            lambda: predictor.predict(few, proba=run.proba), len(few) / rows, cores
        )
    except AfterfitError:  # what is wrong with these rows, the run itself will tell
        paying = False
    get_run_logger().info(
        "%s score faster", f"{cores} processes" if paying else f"{cores} threads of one process"
    )
    if paying:
        forget_scorers()
    return cores if paying else None

"""Bundles: how the pieces of a scoring run are scored side by side on Dask."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial

from prefect import unmapped
from prefect.futures import PrefectFuture

from flows.interruption import check_not_interrupted
from tasks.core.errors import AfterfitError, WorkerLostError
from tasks.core.model.metadata import MODEL_NAME
from tasks.core.output.manifest import Part
from tasks.core.output.row_counts import check_quarantine
from tasks.core.output.staging import Staging
from tasks.core.scoring.plan import Planned
from tasks.core.scoring.run import ScoringRun
from tasks.core.storage.location import join
from tasks.core.tables.pieces import MOST_BUNDLES, Bundle, bundle_pieces
from tasks.progress import Progress
from tasks.runner.compute import Compute
from tasks.runner.make import map_task, result_of
from tasks.score import score_bundle

Parts = tuple[Part, ...]
Submit = Callable[[Sequence[Bundle]], list[PrefectFuture[Parts]]]


def score_pieces(planned: Planned, staging: Staging, compute: Compute) -> list[Part]:
    """Score the pieces that no earlier attempt finished, and stop when too many rows are bad."""
    rows, max_bad_rows = planned.plan.rows, planned.run.destination.max_bad_rows
    parts = dict(planned.finished)
    check_quarantine(list(parts.values()), max_bad_rows, rows)

    parallelism = MOST_BUNDLES if compute.cluster else compute.parallelism
    bundles = bundle_pieces(planned.unfinished, parallelism)
    progress = Progress(planned, staging)

    # Closed at once where this stops: what is left must not be scored beside the next run.
    with closing(score_bundles(bundles, planned.run, staging, progress, compute)) as scored:
        for bundle, done in zip(bundles, scored, strict=True):
            numbers = [piece.number for piece in bundle.pieces]
            parts.update(zip(numbers, done, strict=True))
            check_quarantine(list(parts.values()), max_bad_rows, rows)
            progress.advance(bundle.rows)

    return [parts[piece.number] for piece in planned.plan.pieces]


def score_bundles(
    bundles: Sequence[Bundle],
    run: ScoringRun,
    staging: Staging,
    progress: Progress,
    compute: Compute,
) -> Generator[Parts]:
    """Yield the parts of each bundle, in order; the bundles are scored side by side on Dask.

    A single one is scored right here, which spares the start of a cluster.
    """
    if not bundles:
        return
    if len(bundles) == 1 and compute.is_this_process:
        yield score_bundle(bundles[0], run, staging)
        return

    reads = [join(run.options.model.folder, MODEL_NAME), *paths_of(bundles)]
    with compute.runner(reads=reads, writes=staging.records) as runner:
        same = {"run": unmapped(run), "staging": unmapped(staging)}

        def submit(some: Sequence[Bundle]) -> list[PrefectFuture[Parts]]:
            return map_task(runner, score_bundle, bundle=some, **same)

        try:
            for bundle, future in zip(bundles, submit(bundles), strict=True):
                yield parts_of(bundle, future, submit, progress)
        except WorkerLostError as lost:
            advice = "What is done is kept: run the same command again."
            raise AfterfitError(f"{lost} {advice}") from lost


def paths_of(bundles: Sequence[Bundle]) -> list[str]:
    """List the files that bundles are read from, each once."""
    pieces = [piece for bundle in bundles for piece in bundle.pieces]
    paths = [item.path for piece in pieces for item in piece.slices]
    return list(dict.fromkeys(paths))


def parts_of(
    bundle: Bundle, future: PrefectFuture[Parts], submit: Submit, progress: Progress
) -> Parts:
    """Wait for the parts of a bundle.

    If the bundle was too much for its worker's memory, score its two halves, once.
    """
    wait = partial(result_of, while_waiting=partial(report_progress, progress))
    try:
        return wait(future)
    except WorkerLostError as lost:
        if not lost.memory or len(bundle.pieces) == 1:
            raise

    halves = [wait(half) for half in submit(bundle.halves())]
    return tuple(part for half in halves for part in half)


def report_progress(progress: Progress) -> None:
    """Report how far the scores are; stop when the backfill they belong to was interrupted."""
    check_not_interrupted()
    progress.refresh()

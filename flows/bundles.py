"""Bundles: how the pieces of a scoring run are scored side by side on Dask."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from prefect import unmapped
from prefect.futures import PrefectFuture

from tasks.choose import choose_workers, is_worth_trying
from tasks.core.errors import AfterfitError, WorkerLostError
from tasks.core.model.metadata import MODEL
from tasks.core.output.manifest import Part
from tasks.core.output.row_counts import check_quarantine
from tasks.core.output.staging import Staging
from tasks.core.scoring.plan import Planned
from tasks.core.scoring.run import ScoringRun
from tasks.core.storage.location import join
from tasks.core.tables.pieces import MOST_BUNDLES, Bundle, bundle_pieces
from tasks.progress import Progress
from tasks.runner.make import make_runner, map_task, parallelism, result_of
from tasks.score import score_bundle

interrupted = (
    threading.Event()
)  # a backfill was: no signal reaches the threads on which its windows are scored
_turns = (
    threading.Lock()
)  # for processes: those of windows that are scored side by side would share the cores


def score_pieces(
    planned: Planned, staging: Staging, workers: int | None, cluster: str | None
) -> list[Part]:
    """Score the pieces that no earlier attempt finished, and stop when too many rows are bad."""
    run, plan = planned.run, planned.plan
    parts = dict(planned.finished)
    check_quarantine(list(parts.values()), run.max_bad_rows, plan.rows)
    if not (workers or cluster) and is_worth_trying(planned, parallelism()):
        workers = choose_workers(run, planned.unfinished[0], planned.rows_unfinished, parallelism())
    bundles = bundle_pieces(planned.unfinished, MOST_BUNDLES if cluster else parallelism(workers))
    progress = Progress(planned, staging)
    for bundle, done in zip(
        bundles, score_bundles(bundles, run, staging, progress, workers, cluster), strict=True
    ):
        parts |= dict(zip((piece.number for piece in bundle.pieces), done, strict=True))
        check_quarantine(list(parts.values()), run.max_bad_rows, plan.rows)
        progress.advance(bundle.rows)
    return [parts[piece.number] for piece in plan.pieces]


def score_bundles(
    bundles: tuple[Bundle, ...],
    run: ScoringRun,
    staging: Staging,
    progress: Progress,
    workers: int | None,
    cluster: str | None,
) -> Iterator[tuple[Part, ...]]:
    """Score the bundles side by side on Dask; a single one right here, which spares the start of a
    cluster.
    """
    if len(bundles) == 1 and not (workers or cluster):
        yield score_bundle(bundles[0], run, staging)
    elif bundles:
        reads = [join(run.model.folder, MODEL), *paths_of(bundles)]
        with ExitStack() as stack:
            if workers:
                stack.enter_context(_turns)
                look(progress)
            runner = stack.enter_context(
                make_runner(workers, cluster, reads=reads, writes=staging.records)
            )
            submit = partial(
                map_task, runner, score_bundle, run=unmapped(run), staging=unmapped(staging)
            )
            try:
                for bundle, scored in zip(bundles, submit(bundle=bundles), strict=True):
                    yield parts_of(bundle, scored, submit, progress)
            except WorkerLostError as lost:
                raise AfterfitError(
                    f"{lost} What is done is kept: run the same command again."
                ) from lost


def paths_of(bundles: tuple[Bundle, ...]) -> list[str]:
    """List the files that bundles are read from."""
    slices = [item for bundle in bundles for piece in bundle.pieces for item in piece.slices]
    return list(dict.fromkeys(item.path for item in slices))


def parts_of(
    bundle: Bundle,
    scored: PrefectFuture[tuple[Part, ...]],
    submit: Callable[..., list[PrefectFuture[tuple[Part, ...]]]],
    progress: Progress,
) -> tuple[Part, ...]:
    """Wait for the parts of a bundle; when its worker died of it for lack of memory, try once with
    its halves.
    """
    try:
        return result_of(scored, partial(look, progress))
    except WorkerLostError as lost:
        if not lost.memory or len(bundle.pieces) == 1:
            raise
        halves = submit(bundle=bundle.halves())
        return tuple(part for half in halves for part in result_of(half, partial(look, progress)))


def look(progress: Progress) -> None:
    """Tell how far the scores are; stop when the backfill they belong to was interrupted."""
    if interrupted.is_set():
        raise AfterfitError("interrupted")
    progress.look()

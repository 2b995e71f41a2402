"""Commands that score: score, verify, backfill."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from deployments.cli import answers
from deployments.cli.app import (
    COMPUTE_OPTIONS,
    OUTPUT_OPTIONS,
    SPEC_OPTIONS,
    ComputeOptions,
    OutputOptions,
    SpecOptions,
    app,
)
from deployments.cli.console import session


@app.command
def score(
    model: str,
    source: str,
    output: str,
    *,
    replace: bool = False,
    max_bad_rows: float | None = None,
    work: ComputeOptions = COMPUTE_OPTIONS,
) -> int:
    """Score a table with a registered model.

    Example: `afterfit score bike-demand new.csv scores`

    Args:
        model: NAME (its champion), NAME@ALIAS or NAME/VERSION.
        source: A file, a folder, a glob or an fsspec URL; Parquet or CSV.
        output: The folder or URL that will hold the scores; it appears whole or not at all.
        replace: Swap the scores of another run that are there.
        max_bad_rows: How many rows that cannot be scored may go to OUTPUT/_quarantine: a count, or
            a share such as
            0.01; by default what the model's spec says (none).
    """
    from tasks.core.storage.location import absolute
    from tasks.core.tables.inputs import prefetch_digests

    source, output = absolute(source, Path.cwd()), absolute(output, Path.cwd())
    with prefetch_digests(source), session(work.json, work.verbose, work.cluster) as servers:
        from flows.scoring import score_batch

        scores = score_batch(
            model, source, output, replace, max_bad_rows, work.workers, work.cluster
        )
    return answers.scored(model, scores, servers, work.json)


@app.command
def verify(output: str, *, talk: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Check a committed output against its manifest: every part, row count and digest.

    Example: `afterfit verify scores`

    Args:
        output: The folder or URL that holds the scores.
    """
    from tasks.core.output.verify import verify_output
    from tasks.core.storage.location import absolute

    return answers.verified(verify_output(absolute(output, Path.cwd())), output, talk.json)


@app.command
def backfill(
    spec: Path,
    *,
    from_: Annotated[str, Parameter(name="--from")],
    to: str,
    only: Literal["missing", "failed", "stale", "all"] | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    at_once: int = 2,
    work: SpecOptions = SPEC_OPTIONS,
) -> int:
    """Score the windows of a stretch of time with today's champion, those that are not scored by it
    already.

    Example: `afterfit backfill bike.yaml --from 2026-01-01 --to 2026-02-01 --dry-run`

    Args:
        spec: The YAML file that describes the model; its scoring has a window.
        from_: Where the first window starts: 2026-01-31 or 2026-01-31T06:00; UTC unless a zone is
            named.
        to: Where the last window ends.
        only: Score just the windows that are missing, failed (begun and not finished, or damaged)
            or stale (scored by
            another version than the champion), or all of them; by default whatever is not current.
        dry_run: Tell which windows would be scored and why; score nothing.
        at_once: How many windows are scored side by side; with --workers, they are scored one after
            another.
    """
    from deployments.cli.request import load_request
    from tasks.core.scoring.results import BackfillError

    loaded = load_request(spec, work.set)
    try:
        with session(work.json, work.verbose, work.cluster) as servers:
            from flows.backfill import backfill_scores

            done = backfill_scores(
                loaded, from_, to, only, dry_run, at_once, work.workers, work.cluster
            )
    except BackfillError as error:
        return answers.backfilled(error.done, None, work.json)
    return answers.backfilled(done, servers, work.json)

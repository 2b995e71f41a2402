"""Commands that score: score, verify, backfill."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from deployments.cli import answers, lazy
from deployments.cli.options import (
    COMPUTE_OPTIONS,
    OUTPUT_OPTIONS,
    SPEC_OPTIONS,
    ComputeOptions,
    OutputOptions,
    SpecOptions,
)
from deployments.cli.session import session


def score(
    model: str,
    source: str,
    output: str,
    *,
    replace: bool = False,
    max_bad_rows: float | None = None,
    options: ComputeOptions = COMPUTE_OPTIONS,
) -> int:
    """Score a table with a registered model.

    Example: `afterfit score bike-demand new.csv scores`

    Args:
        model: NAME (its champion), NAME@ALIAS or NAME/VERSION.
        source: A file, a folder, a glob or an fsspec URL; Parquet or CSV.
        output: The folder or URL that will hold the scores; it appears whole or not at all.
        replace: Swap the scores of another run that are there.
        max_bad_rows: How many rows that cannot be scored may go to OUTPUT/_quarantine:
            a count, or a share such as 0.01; by default what the model's spec says (none).
    """
    source = lazy.location.absolute(source, Path.cwd())
    output = lazy.location.absolute_output(output, Path.cwd())

    with session(options, options.cluster) as servers:
        scores = lazy.scoring.score_batch(
            model, source, output, replace, max_bad_rows, options.workers, options.cluster
        )

    return answers.scored(model, scores, servers, options.json)


def verify(output: str, *, options: OutputOptions = OUTPUT_OPTIONS) -> int:
    """Check a committed output against its manifest: every part, row count and digest.

    Example: `afterfit verify scores`

    Args:
        output: The folder or URL that holds the scores.
    """
    location = lazy.location.absolute(output, Path.cwd())
    problems = lazy.verify.verify_output(location)

    return answers.verified(problems, output, options.json)


def backfill(
    spec: Path,
    *,
    from_: Annotated[str, Parameter(name="--from")],
    to: str,
    only: Literal["missing", "failed", "stale", "all"] | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    at_once: int = 2,
    options: SpecOptions = SPEC_OPTIONS,
) -> int:
    """Score the windows of a stretch of time that today's champion has not scored already.

    Example: `afterfit backfill bike.yaml --from 2026-01-01 --to 2026-02-01 --dry-run`

    Args:
        spec: The YAML file that describes the model; its scoring has a window.
        from_: Where the first window starts: 2026-01-31 or 2026-01-31T06:00;
            UTC unless a zone is named.
        to: Where the last window ends.
        only: Score just the windows that are missing, failed (begun and not finished, or damaged),
            stale (scored by another version than the champion), or all of them;
            by default whatever is not current.
        dry_run: Say which windows would be scored and why; score nothing.
        at_once: How many windows are scored side by side;
            with --workers, they are scored one after another.
    """
    loaded = lazy.request.load_request(spec, options.set)

    try:
        with session(options, options.cluster) as servers:
            done = lazy.backfill.backfill_scores(
                loaded, from_, to, only, dry_run, at_once, options.workers, options.cluster
            )
    except lazy.results.BackfillError as error:
        return answers.backfilled(error.done, None, options.json)

    return answers.backfilled(done, servers, options.json)

"""The scoring run: how it scores, and where its scores go."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.model.metadata import ModelMetadata
from tasks.core.model.version import ModelVersion
from tasks.core.output.manifest import make_run_key
from tasks.core.score_columns import ScoreColumns, check_carried
from tasks.core.spec.scoring import Scoring
from tasks.core.storage.location import is_url
from tasks.core.tables.listing import SourceListing
from tasks.core.tables.sources import SourceFile


@dataclass(frozen=True)
class ScoringOptions:
    """How rows are scored. Hashable: runs with equal options share a model in memory.

    `shortcuts`: the source is large enough for the compiled kernel to pay. The scores are the same
    either way.
    """

    model: ModelVersion
    columns: ScoreColumns
    shortcuts: bool = False


@dataclass(frozen=True)
class Destination:
    """Where scores go, and under which key.

    `max_bad_rows` may go to quarantine: a count, or a share below 1.
    """

    output: str
    run_key: str
    max_bad_rows: float = 0


@dataclass(frozen=True)
class ScoringRun:
    """One scoring run. Small: it travels to every worker."""

    options: ScoringOptions
    destination: Destination


def name_run(
    model: ModelVersion,
    metadata: ModelMetadata,
    source: SourceListing,
    output: str,
    scoring: Scoring | None = None,
) -> ScoringRun:
    """Return a run with its key: a digest of the model, the source, and what its scores carry.

    Args:
        model: the version that scores.
        metadata: what is stored with it.
        source: what is scored.
        output: where the scores go.
        scoring: what the scores carry; by default what the model's metadata say.

    Raises:
        RequestError: the output would lie where the source is, or carried columns clash with the
            scores' own.
    """
    columns = metadata.columns
    max_bad_rows = metadata.max_bad_rows
    if scoring is not None:
        columns = ScoreColumns(columns.id, scoring.keep, scoring.proba)
        max_bad_rows = scoring.max_bad_rows

    check_carried(columns.id, columns.keep)
    check_apart(output, source.files)

    key = make_run_key(model.digest, source.identity, asdict(columns))
    return ScoringRun(ScoringOptions(model, columns), Destination(output, key, max_bad_rows))


def check_apart(output: str, files: Sequence[SourceFile]) -> None:
    """Refuse an output that holds the source.

    Raises:
        RequestError: with the output.
    """
    for file in files:
        if is_url(file.path):
            if file.path.startswith(output.rstrip("/") + "/"):
                raise RequestError(f"{output} holds the source itself: write the scores elsewhere.")
        elif Path(output) in Path(os.path.realpath(file.path)).parents:
            raise RequestError(
                f"{output} holds the source itself: write the scores to another folder."
            )

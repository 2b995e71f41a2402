"""The run: one scoring of one source by one version."""

import os
from dataclasses import dataclass
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.model.metadata import ModelMetadata
from tasks.core.model.version import ModelVersion
from tasks.core.output.manifest import make_run_key
from tasks.core.score_columns import check_carried
from tasks.core.spec.scoring import Scoring
from tasks.core.storage.location import is_url
from tasks.core.tables.sources import SourceFile, source_identity


@dataclass(frozen=True)
class ScoringRun:
    """One scoring run: the model, the output, and the key that names the content. Small: it goes to
    every worker.

    `kernel` tells whether there are rows enough for the trees' kernel and other short cuts to pay;
    the content does not depend on it.
    """

    model: ModelVersion
    output: str
    key: str
    id: str | None
    keep: tuple[str, ...]
    proba: bool
    max_bad_rows: float = 0
    kernel: bool = False


def name_run(
    model: ModelVersion,
    card: ModelMetadata,
    files: tuple[SourceFile, ...],
    output: str,
    options: Scoring | None = None,
) -> ScoringRun:
    """Give a run its key: a digest of the model, the source, and the options that change the
    content.

    The options are by default those of the spec that is stored with the model.

    Raises:
        RequestError: the output would lie where the source is, or carried columns clash with the
            scores' own.
    """
    data, scoring = card.spec.data, options or card.spec.scoring
    check_carried(data.id, scoring.keep)
    for file in files:
        if not is_url(file.path) and Path(output) in Path(os.path.realpath(file.path)).parents:
            raise RequestError(
                f"{output} holds the source itself: write the scores to another folder."
            )
        if is_url(file.path) and file.path.startswith(output.rstrip("/") + "/"):
            raise RequestError(f"{output} holds the source itself: write the scores elsewhere.")
    content = {"id": data.id, "keep": scoring.keep, "proba": scoring.proba}
    key = make_run_key(model.digest, source_identity(files), content)
    return ScoringRun(
        model, output, key, data.id, scoring.keep, scoring.proba, scoring.max_bad_rows
    )

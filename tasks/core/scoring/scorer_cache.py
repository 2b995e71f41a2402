"""The cache of scorers."""

import threading
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from tasks.core.model.metadata import MODEL, read_metadata
from tasks.core.model.predictor import make_predictor
from tasks.core.model.skops_file import load_pipeline
from tasks.core.model.version import check_files
from tasks.core.scoring.run import ScoringRun
from tasks.core.scoring.scorer import Scorer

_loading = threading.Lock()
_loaded: dict[ScoringRun, Scorer] = {}


def load_scorer(run: ScoringRun, rows: pa.Table) -> Scorer:
    """Load the model of a run, once in each worker; the tree kernel is tried on the first rows that
    come.
    """
    same = replace(
        run, output="", key="", max_bad_rows=0
    )  # windows that are scored side by side share a model
    with _loading:
        if same not in _loaded:
            check_files(run.model)
            card = read_metadata(Path(run.model.folder))
            pipeline = load_pipeline(Path(run.model.folder) / MODEL)
            tried = rows if run.kernel else None
            predictor = make_predictor(pipeline, card.features, tried, proba=run.proba)
            _loaded.clear()
            _loaded[same] = Scorer(predictor, run.model.version, run.id, run.keep, run.proba)
        return _loaded[same]


def forget_scorers() -> None:
    """Let the model go that `load_scorer` keeps in this process."""
    with _loading:
        _loaded.clear()

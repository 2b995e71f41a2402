"""Measure models on the held-out rows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from prefect.logging import get_run_logger

from tasks.core.card import ModelVersion
from tasks.core.evidence import champion_losses, measure_rows
from tasks.core.models import load_pipeline
from tasks.core.spec import Spec
from tasks.core.tables import SplitTable, open_table
from tasks.fit import Fitted
from tasks.uncached import uncached_task


@dataclass(frozen=True)
class Measured:
    """What a model showed on the held-out rows: its figures, and in a file the loss of each row."""

    candidate: str
    path: str
    figures: dict[str, float]
    segments: dict[str, dict[str, float]]
    losses: str


@dataclass(frozen=True)
class MeasuredChampion:
    """The champion's loss of each held-out row; NaN where it may have been trained on it, or cannot answer."""

    version: int
    losses: str
    rows_seen: int
    problem: str = ""


@uncached_task(task_run_name="measure {fitted.candidate}")
def measure_candidate(fitted: Fitted, spec: Spec, table: SplitTable) -> Measured:
    """Measure a candidate on the held-out rows, whole and by segment."""
    evidence = measure_rows(load_pipeline(Path(fitted.path)), open_table(table.held_out), table.features, spec)
    losses = Path(fitted.path).with_suffix(".npy")
    np.save(losses, evidence.losses)
    metric = spec.gates.champion.metric
    get_run_logger().info(
        "%s: %s is %.4g on %s rows", fitted.candidate, metric, evidence.figures[metric], table.rows_held_out
    )
    return Measured(fitted.candidate, fitted.path, evidence.figures, evidence.segments, str(losses))


@uncached_task(task_run_name="measure the champion, version {champion.version}")
def measure_champion(champion: ModelVersion, spec: Spec, table: SplitTable) -> MeasuredChampion:
    """Measure the champion on the same rows, without those it may have been trained on."""
    found = champion_losses(Path(champion.folder), open_table(table.held_out), spec)
    losses = Path(table.held_out).with_name("champion.npy")
    np.save(losses, found.losses)
    get_run_logger().info("the champion may have seen %s of %s rows", found.rows_seen, table.rows_held_out)
    return MeasuredChampion(champion.version, str(losses), found.rows_seen, found.problem)

"""Measure models on the held-out rows."""

from pathlib import Path

import numpy as np
from prefect.logging import get_run_logger

from tasks.core.evaluation.evidence import Measured, MeasuredChampion, champion_losses, measure_rows
from tasks.core.model.skops_file import load_pipeline
from tasks.core.model.version import ModelVersion
from tasks.core.spec.spec import Spec
from tasks.core.tables.arrow_files import open_table
from tasks.core.training.results import Fitted
from tasks.core.training.table import SplitTable
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="measure {fitted.candidate}")
def measure_candidate(fitted: Fitted, spec: Spec, table: SplitTable) -> Measured:
    """Measure a candidate on the held-out rows, whole and by segment."""
    pipeline = load_pipeline(Path(fitted.path))
    evidence = measure_rows(pipeline, open_table(table.held_out), table.features, spec)
    losses = Path(fitted.path).with_suffix(".npy")
    np.save(losses, evidence.losses)

    name = fitted.candidate
    metric = spec.gates.champion.metric
    value = evidence.metrics[metric]
    rows = table.rows_held_out
    get_run_logger().info("%s: %s is %.4g on %s rows", name, metric, value, rows)
    return Measured(name, fitted.path, evidence.metrics, evidence.segments, str(losses))


@idempotent_task(task_run_name="measure the champion, version {champion.version}")
def measure_champion(champion: ModelVersion, spec: Spec, table: SplitTable) -> MeasuredChampion:
    """Measure the champion on the same rows, without those it may have been trained on."""
    found = champion_losses(champion, open_table(table.held_out), spec)
    losses = Path(table.held_out).with_name("champion.npy")
    np.save(losses, found.losses)

    seen = found.rows_seen
    rows = table.rows_held_out
    get_run_logger().info("the champion may have seen %s of %s rows", seen, rows)
    return MeasuredChampion(champion.version, str(losses), seen, found.problem)

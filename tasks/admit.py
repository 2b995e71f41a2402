"""Admit a model that was fitted elsewhere, once it was tried in a process of its own."""

from dataclasses import replace
from pathlib import Path

from prefect.logging import get_run_logger

from tasks.core.foreign.prepare import prepare_trial
from tasks.core.foreign.sandbox import try_model
from tasks.core.spec.spec import Spec
from tasks.core.tables.arrow_files import open_table
from tasks.core.tables.listing import SourceListing
from tasks.core.training.results import Fitted
from tasks.core.training.table import SplitTable, TableFile
from tasks.idempotent import idempotent_task


@idempotent_task(task_run_name="try {given.candidate}")
def admit_model(
    given: Fitted, spec: Spec, source: SourceListing, table: TableFile, split: SplitTable
) -> SplitTable:
    """Try a model on real rows; return the split table with the features in the model's order."""
    folder = Path(given.path).parent
    rows = open_table(table.path)
    request = prepare_trial(given.candidate, spec, source.files, rows, split.features, folder)
    features = try_model(request, folder)

    tried = len(request.rows)
    get_run_logger().info("%s predicts as by itself on %s rows", given.candidate, tried)
    return replace(split, features=features)

"""Prepare the trial of a model from elsewhere: real rows of the source, in two forms."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from tasks.core.errors import RequestError
from tasks.core.foreign.rows import choose_rows, read_by_pandas
from tasks.core.foreign.sandbox import READ, TABLE, Request
from tasks.core.spec.spec import Spec
from tasks.core.tables.arrow_files import write_table
from tasks.core.tables.columns import Column
from tasks.core.tables.sources import SourceFile, check_unchanged
from tasks.core.tables.targets import has_target, target_values


def prepare_trial(
    shown: str,
    spec: Spec,
    files: Sequence[SourceFile],
    table: pa.Table,
    features: Sequence[Column],
    folder: Path,
) -> Request:
    """Write the rows that a model is tried on into a folder: as we read them, and as pandas does.

    Args:
        shown: the name of the model's file.
        spec: the problem and the target.
        files: those of the source.
        table: what was read from them, in their order.
        features: the columns that the model takes.
        folder: where the process finds the rows.

    Raises:
        RequestError: pandas cannot read the source, or reads other rows.
    """
    names = [column.name for column in features]
    read = read_by_pandas(files, names)
    check_unchanged(files)
    if len(read) != len(table):
        raise RequestError(
            f"{spec.data.source} has {len(table):,} rows, and pandas reads {len(read):,}: what the "
            "model was fitted on cannot be held against it."
        )

    rows = choose_rows(table, features, read)
    write_table(table.select(names).take(pa.array(rows)), folder / TABLE)
    _write_read(read.iloc[rows], folder / READ)

    labels = _labels(table, spec)
    return Request(
        shown, spec.problem, spec.data.target, labels, tuple(features), tuple(rows.tolist())
    )


def _write_read(rows: pd.DataFrame, path: Path) -> None:
    """Write rows just as they are: no other format tells None from NaN."""
    rows.reset_index(drop=True).to_pickle(path)


def _labels(table: pa.Table, spec: Spec) -> tuple[object, ...]:
    """Return the distinct values of the target of a classification."""
    if spec.problem != "classification":
        return ()

    complete = table.filter(has_target(table[spec.data.target]))
    return tuple(np.unique(target_values(complete, spec.data.target, spec.problem)).tolist())

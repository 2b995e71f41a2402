"""The training profile: what a model saw, kept for later comparison."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.tables.columns import Column

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
MOST_CATEGORIES = 100


def profile_table(
    table: pa.Table, features: Sequence[Column], predictions: NDArray[Any]
) -> dict[str, Any]:
    """Describe each feature and the predictions: rows, share missing, and quantiles or categories
    with counts.
    """
    return {
        "rows": len(table),
        "features": {column.name: profile_column(table[column.name]) for column in features},
        "predictions": profile_column(pa.chunked_array([pa.array(predictions.tolist())])),
    }


def profile_column(column: pa.ChunkedArray) -> dict[str, Any]:
    """Describe one column.

    >>> profile_column(pa.chunked_array([["a", "b", "a", None]]))
    {'missing': 0.25, 'categories': {'a': 2, 'b': 1}}
    """
    missing = column.null_count / len(column) if len(column) else 0.0
    if pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
        counts = pc.value_counts(column.drop_null()).to_pylist()
        most = sorted(counts, key=lambda item: (-item["counts"], str(item["values"])))[
            :MOST_CATEGORIES
        ]
        return {
            "missing": missing,
            "categories": {str(item["values"]): item["counts"] for item in most},
        }
    numbers = (
        column.cast(pa.int64()).cast(pa.float64())
        if pa.types.is_temporal(column.type)
        else column.cast(pa.float64())
    )
    values = numbers.drop_null().to_numpy()
    return {
        "missing": missing,
        "quantiles": dict(zip(map(str, QUANTILES), _quantiles(values), strict=True)),
    }


def _quantiles(values: NDArray[np.float64]) -> list[float | None]:
    finite = values[np.isfinite(values)]
    return (
        [float(value) for value in np.quantile(finite, QUANTILES)]
        if len(finite)
        else [None] * len(QUANTILES)
    )

"""The training profile: what a model was trained on, stored for later comparison."""

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
    """Describe each feature of a table, and the predictions of shape (n,), as a JSON document."""
    predicted = pa.chunked_array([pa.array(predictions.tolist())])
    return {
        "rows": len(table),
        "features": {column.name: profile_column(table[column.name]) for column in features},
        "predictions": profile_column(predicted),
    }


def profile_column(column: pa.ChunkedArray) -> dict[str, Any]:
    """Return the share of missing values, and quantiles or the most frequent categories.

    Strings and booleans have categories; numbers and dates have quantiles, those of dates in the
    unit of their type since 1970.

    >>> profile_column(pa.chunked_array([["a", "b", "a", None]]))
    {'missing': 0.25, 'categories': {'a': 2, 'b': 1}}
    """
    description: dict[str, Any] = {"missing": 0.0}
    if len(column):
        description["missing"] = column.null_count / len(column)

    if pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
        description["categories"] = _most_frequent(column)
    else:
        description["quantiles"] = _quantiles(column)
    return description


def _most_frequent(column: pa.ChunkedArray) -> dict[str, int]:
    """Return the most frequent values with their counts; of equals, the first by name."""
    found = pc.value_counts(column.drop_null()).to_pylist()
    counts = {str(item["values"]): item["counts"] for item in found}

    names = sorted(counts, key=lambda name: (-counts[name], name))
    most_frequent = names[:MOST_CATEGORIES]
    return {name: counts[name] for name in most_frequent}


def _quantiles(column: pa.ChunkedArray) -> dict[str, float | None]:
    """Return the quantiles of the finite values; None where there are none."""
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.int64())  # Arrow casts no timestamp to float64 at once
    # From 2255 on, microseconds are beyond what a float64 holds exactly: a quantile may round.
    values = column.cast(pa.float64(), safe=False).drop_null().to_numpy()

    names = [str(share) for share in QUANTILES]
    finite = values[np.isfinite(values)]
    if not len(finite):
        return dict.fromkeys(names)

    found = np.quantile(finite, QUANTILES)
    return dict(zip(names, found.tolist(), strict=True))

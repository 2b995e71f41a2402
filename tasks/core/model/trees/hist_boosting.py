"""HistGradientBoosting: the baseline, then each iteration, for each output by itself."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.category_sets import CategorySets
from tasks.core.model.trees.codes import make_codes
from tasks.core.model.trees.family import (
    Columns,
    Family,
    Predicted,
    Sums,
    predict_with,
)
from tasks.core.model.trees.keys import walk_codes
from tasks.core.model.trees.nodes import (
    Nodes,
    UnsupportedError,
    check_leaves,
    nodes_of_predictor,
)
from tasks.core.model.trees.programs import Programs, write_programs
from tasks.core.model.trees.sklearn_internals import (
    encode_categories,
    hist_baseline,
    hist_bins,
    hist_encoder,
    hist_predictors,
)
from tasks.core.model.trees.slices import slices
from tasks.core.model.trees.walks import Walks
from tasks.core.model.trees.writer import MAX_LEAVES

SECTION = 65_536  # rows whose categories are encoded at once


def sum_hist_boosting(estimator: Any) -> Sums:
    """Prepare the sums of HistGradientBoosting."""
    baseline = hist_baseline(estimator)
    iterations = hist_predictors(estimator)
    if not iterations or baseline.dtype != np.float64:
        raise UnsupportedError(
            "the kernel does not know boosting without an iteration, or not in float64"
        )

    outputs, sets = _read_trees(estimator)
    trees = _prepare_trees(outputs, sets, _count_categories(estimator))

    def sum_leaves(columns: Columns) -> NDArray[np.float64]:
        floats = [_as_float(column) for column in columns]
        shape = len(columns[0]), len(outputs)
        sums = np.zeros(shape, order="F")
        sums += baseline
        _add_trees(estimator, trees, floats, sums)
        return sums

    return sum_leaves


def predict_hist_boosting(estimator: Any, sums: NDArray[np.float64], *, proba: bool) -> Predicted:
    """Predict as HistGradientBoosting does from its sums."""
    return predict_with(estimator, proba=proba, _raw_predict=lambda _: sums)


def _read_trees(estimator: Any) -> tuple[list[list[Nodes]], NDArray[np.uint8]]:
    """Read the trees of each output, and a table of all their sets of categories."""
    iterations = hist_predictors(estimator)
    outputs: list[list[Nodes]] = [[] for _ in iterations[0]]
    sets = CategorySets(hist_bins(estimator))

    for predictors in iterations:
        for trees, predictor in zip(outputs, predictors, strict=True):
            nodes = nodes_of_predictor(predictor)
            trees.append(sets.add(nodes, predictor.raw_left_cat_bitsets))

    table = sets.table()
    if len(table) and hist_encoder(estimator) is None:
        raise UnsupportedError(
            "the kernel does not know categories that the model does not encode itself"
        )
    return outputs, table


def _count_categories(estimator: Any) -> dict[int, int]:
    """Count the categories of each feature that is no number."""
    bins = hist_bins(estimator)

    counts = {}
    for feature in np.flatnonzero(bins.is_categorical_).tolist():
        largest = max(bins.bin_thresholds_[feature], default=-1)
        counts[feature] = int(largest) + 1
    return counts


def _prepare_trees(
    outputs: Sequence[Sequence[Nodes]], sets: NDArray[np.uint8], categories: dict[int, int]
) -> Walks | Programs:
    """Prepare the trees of each output: as programs, or as walks where one is too large."""
    every_tree = [nodes for trees in outputs for nodes in trees]
    check_leaves(every_tree)
    codes = make_codes(every_tree, sets, categories)
    if max(nodes.leaves for nodes in every_tree) <= MAX_LEAVES:
        return write_programs(outputs, codes)

    first_outputs = [output for output, trees in enumerate(outputs) for _ in trees]
    return walk_codes(every_tree, first_outputs, codes)


def _add_trees(
    estimator: Any, trees: Walks | Programs, columns: Columns, sums: NDArray[np.float64]
) -> None:
    """Add the trees to the sums of each row, after its categories are encoded."""
    if hist_encoder(estimator) is None:
        trees.add(columns, sums)
        return

    for rows in slices(len(sums), SECTION):
        encoded = _encode(estimator, [column[rows] for column in columns])
        trees.add(list(encoded.T), sums[rows])


def _encode(estimator: Any, columns: Columns) -> NDArray[np.float64]:
    """Encode the categories as scikit-learn does, shape (rows, features)."""
    import pandas as pd  # noqa: PLC0415 - most models come without

    X: Any = np.column_stack(columns)
    if hasattr(estimator, "feature_names_in_"):
        X = pd.DataFrame(X, columns=estimator.feature_names_in_)
    return encode_categories(estimator, X)


def _as_float(column: NDArray[Any]) -> NDArray[Any]:
    """Return a column as float64, unless it is of float32."""
    if column.dtype == np.float32:
        return column
    return column.astype(np.float64, copy=False)


HIST_BOOSTING = Family(sum_hist_boosting, predict_hist_boosting)

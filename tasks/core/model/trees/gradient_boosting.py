"""GradientBoosting: what it begins with, then each tree times the learning rate."""

import platform
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.codes import CODES, make_codes
from tasks.core.model.trees.family import (
    Columns,
    Family,
    Predicted,
    Sums,
    predict_with,
)
from tasks.core.model.trees.inputs import INFINITE, refuse_floats
from tasks.core.model.trees.keys import Refuse, narrowed, walk_floats
from tasks.core.model.trees.nodes import Nodes, UnsupportedError, check_leaves, nodes_of_tree
from tasks.core.model.trees.programs import write_programs
from tasks.core.model.trees.sklearn_internals import initial_sums
from tasks.core.model.trees.slices import slices
from tasks.core.model.trees.writer import MAX_LEAVES

SECTION = 65_536  # rows whose values are checked at once
Add = Callable[[Columns, NDArray[np.float64]], None]


def sum_gradient_boosting(estimator: Any) -> Sums:
    """Prepare the sums of GradientBoosting."""
    # Elsewhere compilers may fuse the product and the sum.
    if platform.machine() not in {"x86_64", "AMD64"}:
        raise UnsupportedError("the kernel knows GradientBoosting on x86-64 only")
    if type(estimator.init_).__name__ not in {"str", "DummyClassifier", "DummyRegressor"}:
        raise UnsupportedError(
            f"the kernel does not know GradientBoosting that begins with {estimator.init_}"
        )

    features = estimator.n_features_in_
    outputs = estimator.estimators_.shape[1]
    refuse = partial(refuse_floats, name=type(estimator).__name__, gaps=False)
    add = _prepare_add(_scaled_trees(estimator), outputs, features, refuse)

    def sum_leaves(columns: Columns) -> NDArray[np.float64]:
        # What it begins with depends on the number of rows alone.
        shape = len(columns[0]), features
        zeros = np.broadcast_to(np.float32(0), shape)
        sums = np.asfortranarray(initial_sums(estimator, zeros))
        add(columns, sums)
        return np.ascontiguousarray(sums)

    return sum_leaves


def predict_gradient_boosting(
    estimator: Any, sums: NDArray[np.float64], *, proba: bool
) -> Predicted:
    """Predict as GradientBoosting does from its sums."""
    decisions = sums.ravel() if sums.shape[1] == 1 else sums
    if hasattr(estimator, "predict_proba"):
        return predict_with(estimator, proba=proba, decision_function=lambda _: decisions)
    return predict_with(estimator, proba=proba, predict=lambda _: decisions)


def _scaled_trees(estimator: Any) -> list[Nodes]:
    """Read the trees, iteration after iteration, with the learning rate in their leaves."""
    rate = float(estimator.learning_rate)

    trees = []
    for number, member in enumerate(estimator.estimators_.ravel()):
        nodes = nodes_of_tree(member.tree_, f"tree {number}")
        scaled = rate * nodes.leaf_values
        trees.append(replace(nodes, leaf_values=scaled))
    check_leaves(trees)
    return trees


def _prepare_add(trees: list[Nodes], outputs: int, features: int, refuse: Refuse) -> Add:
    """Prepare trees that compare finite float32 values, tree i adding to output i % outputs.

    They become programs, which are quicker, if bytes can tell their leaves and thresholds apart.
    """
    numbers = range(len(trees))
    first_outputs = [number % outputs for number in numbers]
    walks = walk_floats(trees, first_outputs, features, refuse)
    if max(nodes.leaves for nodes in trees) > MAX_LEAVES:
        return walks.add

    no_sets = np.zeros((0, CODES), np.uint8)
    try:
        codes = make_codes(trees, no_sets, {})
    except UnsupportedError:
        return walks.add

    trees_by_output = [trees[output::outputs] for output in range(outputs)]
    programs = write_programs(trees_by_output, codes)

    def add(columns: Columns, sums: NDArray[np.float64]) -> None:
        for rows in slices(len(sums), SECTION):
            narrow = [narrowed(column[rows]) for column in columns]
            if not all(np.isfinite(column).all() for column in narrow):
                refuse(INFINITE, [column[rows] for column in columns])
            programs.add(narrow, sums[rows])

    return add


GRADIENT_BOOSTING = Family(sum_gradient_boosting, predict_gradient_boosting)

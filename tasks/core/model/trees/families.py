"""How each kind of estimator answers from its trees: what is summed, and what scikit-learn makes of
the sums.
"""

import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.trees.codes import CODES, goes_right, make_codes
from tasks.core.model.trees.nodes import (
    CATEGORY_WORDS,
    Nodes,
    UnsupportedError,
    nodes_of_predictor,
    nodes_of_tree,
)
from tasks.core.model.trees.programs import MAX_LEAVES, write_programs
from tasks.core.model.trees.walks import Refuse, narrowed, walk_codes, walk_floats

SECTION = 65_536  # rows prepared at once, where something is to be done before the trees
INFINITE = 2
Columns = Sequence[NDArray[Any]]
Sums = Callable[[Columns], NDArray[np.float64]]


def sum_hist_boosting(estimator: Any) -> Sums:
    """Prepare the sums of HistGradientBoosting: the baseline, then each iteration, for each answer
    by itself.
    """
    baseline = estimator._baseline_prediction  # noqa: SLF001 - scikit-learn has no public way to any of this
    iterations = [[nodes_of_predictor(tree) for tree in trees] for trees in estimator._predictors]  # noqa: SLF001
    if not iterations or baseline.dtype != np.float64:
        raise UnsupportedError(
            "the kernel does not know boosting without an iteration, or not in float64"
        )
    sets = _number_category_sets(estimator, iterations)
    answers = [list(trees) for trees in zip(*iterations, strict=True)]
    every = _sound([nodes for trees in answers for nodes in trees])
    codes = make_codes(every, sets, _count_categories(estimator))
    large = max(nodes.leaves for nodes in every) > MAX_LEAVES
    owners = [answer for answer, trees in enumerate(answers) for _ in trees]
    trees = walk_codes(every, owners, codes) if large else write_programs(answers, codes)

    def sums(columns: Columns) -> NDArray[np.float64]:
        columns = [
            column if column.dtype == np.float32 else column.astype(np.float64, copy=False)
            for column in columns
        ]
        raw = np.zeros((len(columns[0]), len(answers)), order="F")
        raw += baseline
        if estimator._preprocessor is None:  # noqa: SLF001
            trees.add(columns, raw)
            return raw
        for start in range(0, len(raw), SECTION):
            part = slice(start, start + SECTION)
            trees.add(list(_prepare(estimator, [column[part] for column in columns]).T), raw[part])
        return raw

    return sums


def _number_category_sets(estimator: Any, iterations: list[list[Nodes]]) -> NDArray[np.uint8]:
    """Number the sets of categories through all trees, not within each, and tell what goes
    right.
    """
    known, places = estimator._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001
    sets: list[NDArray[np.uint8]] = []
    for trees, predictors in zip(iterations, estimator._predictors, strict=True):  # noqa: SLF001
        for answer, nodes in enumerate(trees):
            numbers = nodes.category_set.copy()
            for node in np.flatnonzero(~nodes.is_leaf & (numbers >= 0)).tolist():
                left = predictors[answer].raw_left_cat_bitsets[numbers[node]]
                there = known[places[nodes.feature[node]]]
                numbers[node] = len(sets)
                sets.append(goes_right(left, there, missing_left=bool(nodes.missing_left[node])))
            trees[answer] = replace(nodes, category_set=numbers)
    if sets and estimator._preprocessor is None:  # noqa: SLF001
        raise UnsupportedError(
            "the kernel does not know categories that the model does not encode itself"
        )
    return np.array(sets, np.uint8).reshape(-1, 32 * CATEGORY_WORDS)


def _count_categories(estimator: Any) -> dict[int, int]:
    mapper = estimator._bin_mapper  # noqa: SLF001
    return {
        feature: int(max(mapper.bin_thresholds_[feature], default=-1)) + 1
        for feature in np.flatnonzero(mapper.is_categorical_).tolist()
    }


def _prepare(estimator: Any, columns: Columns) -> NDArray[np.float64]:
    """Encode the categories as scikit-learn does, which puts their features first."""
    import pandas as pd  # noqa: PLC0415 - most models come without

    X: Any = np.column_stack(columns)
    if hasattr(estimator, "feature_names_in_"):
        X = pd.DataFrame(X, columns=estimator.feature_names_in_)
    return np.asarray(estimator._preprocess_X(X, reset=False))  # noqa: SLF001


def sum_forest(estimator: Any) -> Sums:
    """Prepare the sums of a forest: the values of each tree's leaves, from zero on."""
    return _sum_trees(estimator, estimator.estimators_, 0.0)


def sum_tree(estimator: Any) -> Sums:
    """Prepare the values of one tree's leaves; -0.0 leaves them as they are, even -0.0."""
    return _sum_trees(estimator, [estimator], -0.0)


def _sum_trees(estimator: Any, members: Sequence[Any], zero: float) -> Sums:
    if estimator.n_outputs_ != 1:
        raise UnsupportedError(
            f"the kernel does not know {type(estimator).__name__} with several outputs"
        )
    trees = _sound(
        [nodes_of_tree(member.tree_, f"tree {number}") for number, member in enumerate(members)]
    )
    if odd := {member.n_features_in_ for member in members} - {estimator.n_features_in_}:
        raise ValueError(
            f"a tree takes {odd.pop()} features, its {type(estimator).__name__} {estimator.n_features_in_}"
        )
    width = int(getattr(estimator, "n_classes_", 1))
    if any(nodes.leaf_values.shape[1] != width for nodes in trees):
        raise UnsupportedError(
            f"the kernel does not know trees that do not answer for each of {width} classes"
        )
    gaps = bool(members[0].__sklearn_tags__().input_tags.allow_nan)
    walks = walk_floats(
        trees,
        [0] * len(trees),
        estimator.n_features_in_,
        _refuse(type(estimator).__name__, gaps=gaps),
    )

    def sums(columns: Columns) -> NDArray[np.float64]:
        total = np.full((len(columns[0]), width), zero)
        walks.add(columns, total)
        return total

    return sums


def sum_gradient_boosting(estimator: Any) -> Sums:
    """Prepare the sums of GradientBoosting: what it begins with, then each tree times the learning
    rate.
    """
    if platform.machine() not in {
        "x86_64",
        "AMD64",
    }:  # elsewhere compilers may fuse the product and the sum
        raise UnsupportedError("the kernel knows GradientBoosting on x86-64 only")
    if type(estimator.init_).__name__ not in {"str", "DummyClassifier", "DummyRegressor"}:
        raise UnsupportedError(
            f"the kernel does not know GradientBoosting that begins with {estimator.init_}"
        )
    members, name = estimator.estimators_, type(estimator).__name__
    rate = float(estimator.learning_rate)
    trees = [
        nodes_of_tree(member.tree_, f"tree {number}")
        for number, member in enumerate(members.ravel())
    ]
    scaled = _sound([replace(nodes, leaf_values=rate * nodes.leaf_values) for nodes in trees])
    add = _add_floats(scaled, members.shape[1], estimator.n_features_in_, _refuse(name, gaps=False))

    def sums(columns: Columns) -> NDArray[np.float64]:
        no_rows = np.broadcast_to(np.float32(0), (len(columns[0]), estimator.n_features_in_))
        raw = np.asfortranarray(estimator._raw_predict_init(no_rows))  # noqa: SLF001
        add(columns, raw)
        return np.ascontiguousarray(raw)

    return sums


def _add_floats(
    trees: list[Nodes], answers: int, features: int, refuse: Refuse
) -> Callable[[Columns, NDArray[np.float64]], None]:
    """Prepare trees that compare finite float32 values, tree i adding to answer i modulo
    `answers`.
    """
    walks = walk_floats(trees, [number % answers for number in range(len(trees))], features, refuse)
    try:
        codes = make_codes(trees, np.zeros((0, CODES), np.uint8), {})
    except UnsupportedError:
        return walks.add
    if max(nodes.leaves for nodes in trees) > MAX_LEAVES:
        return walks.add
    programs = write_programs([trees[answer::answers] for answer in range(answers)], codes)

    def add(columns: Columns, sums: NDArray[np.float64]) -> None:
        for start in range(0, len(sums), SECTION):
            part = slice(start, start + SECTION)
            narrow = [narrowed(column[part]) for column in columns]
            if not all(np.isfinite(column).all() for column in narrow):
                refuse(INFINITE, [column[part] for column in columns])
            programs.add(narrow, sums[part])

    return add


def _sound(trees: list[Nodes]) -> list[Nodes]:
    if not all(np.isfinite(nodes.leaf_values[nodes.is_leaf]).all() for nodes in trees):
        raise UnsupportedError("the kernel does not know leaves whose values are not finite")
    return trees


def _refuse(name: str, *, gaps: bool) -> Refuse:
    """Make what refuses the values that scikit-learn refuses, in its words."""

    def refuse(found: int, columns: list[NDArray[Any]]) -> None:
        if found & INFINITE or not gaps:
            from sklearn.utils import assert_all_finite  # noqa: PLC0415 - imported long ago, by the model

            with np.errstate(over="ignore"):
                X = np.column_stack(columns).astype(np.float32)
            assert_all_finite(X, allow_nan=gaps, estimator_name=name, input_name="X")

    return refuse


def answer_hist_boosting(estimator: Any, sums: NDArray[np.float64]) -> Any:
    """Let HistGradientBoosting answer from its sums."""
    return _stand_in(estimator, _raw_predict=lambda _: sums)


def answer_forest(estimator: Any, sums: NDArray[np.float64]) -> Any:
    """Let a forest answer from its sums."""
    means = sums / len(estimator.estimators_)
    if hasattr(estimator, "predict_proba"):
        return _stand_in(estimator, predict_proba=lambda _: means)
    return _stand_in(estimator, predict=lambda _: means[:, 0])


def answer_tree(estimator: Any, sums: NDArray[np.float64]) -> Any:
    """Let a decision tree answer from the values of its leaves."""
    return _stand_in(
        estimator,
        _validate_X_predict=lambda *_: sums,
        tree_=SimpleNamespace(predict=lambda values: values),
    )


def answer_gradient_boosting(estimator: Any, sums: NDArray[np.float64]) -> Any:
    """Let GradientBoosting answer from its sums."""
    decisions = sums.ravel() if sums.shape[1] == 1 else sums
    if hasattr(estimator, "predict_proba"):
        return _stand_in(estimator, decision_function=lambda _: decisions)
    return _stand_in(estimator, predict=lambda _: decisions)


def _stand_in(estimator: Any, **attributes: Any) -> Any:
    """Make a shallow copy of an estimator with some attributes of its own, which hide methods of
    its class.
    """
    copied = object.__new__(type(estimator))
    copied.__dict__.update(vars(estimator), **attributes)
    return copied

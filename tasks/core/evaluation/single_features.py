"""How well one feature alone tells the target."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tasks.core.metrics import Problem
from tasks.core.predictions import Floats

LEAST_ODD = 20  # rows that a constant gets wrong: with fewer, chance alone may look perfect
FOLDS = 5
AT_A_CHANGE = 2  # rows that may fall on the other side of where one label changes to another


def skill_alone(
    train: Floats,
    y_train: NDArray[Any],
    held_out: Floats,
    y_held_out: NDArray[Any],
    problem: Problem,
) -> float:
    """Return how well a feature alone predicts: 1 is perfect, 0 or less no better than a constant.

    For numbers each row is predicted by the rows that train whose values are nearest to its own;
    missing values are a value of their own.

    >>> x = np.arange(40.0)
    >>> skill_alone(x, 2 * x, x + 0.5, 2 * x + 1, "regression") > 0.999
    True

    Args:
        train: the feature in the rows that train, shape (n,); NaN where it is missing.
        y_train: their targets, shape (n,).
        held_out: the feature in the held-out rows, shape (m,).
        y_held_out: their targets, shape (m,): numbers, or the codes of labels.
        problem: whether the targets are numbers or codes.
    """
    if problem == "classification":
        return _skill_of_labels(train, y_train, held_out, y_held_out)

    spread = float(np.square(y_held_out - y_held_out.mean()).sum())
    if not spread:
        return 0.0

    line = _predict(held_out, train, y_train, _on_a_line, _mean)
    unexplained = float(np.square(y_held_out - line).sum())
    return max(1 - unexplained / spread, _skill_of_ranks(train, y_train, held_out, y_held_out))


def _skill_of_ranks(train: Floats, y_train: Floats, held_out: Floats, y_held_out: Floats) -> float:
    """Predict the rank of each target among all: a few huge ones do not hide a leak."""
    ranks = pd.Series(np.concatenate([y_train, y_held_out])).rank().to_numpy()
    known, wanted = ranks[: len(y_train)], ranks[len(y_train) :]

    guess = _predict(held_out, train, known, _between, _mean)
    unexplained = float(np.square(wanted - guess).sum())
    return 1 - unexplained / float(np.square(wanted - wanted.mean()).sum())


def _skill_of_labels(
    train: Floats, y_train: NDArray[Any], held_out: Floats, y_held_out: NDArray[Any]
) -> float:
    """Predict every row by the others: the held-out rows alone may be few, and easy by chance.

    The held-out rows must be predicted by those that train, too: a label that changes with time is
    told by the rows before and after, yet not by the older ones.
    """
    values = np.concatenate([train, held_out])
    labels = np.concatenate([y_train, y_held_out])
    odd = odd_rows(labels)
    if odd < LEAST_ODD:
        return 0.0

    fold = np.arange(len(values)) % FOLDS
    wrong = sum(_wrong(values, labels, fold == judged) for judged in range(FOLDS))
    skill = _skill_but_for(wrong, odd, min(AT_A_CHANGE, odd // 50))

    odd = odd_rows(y_held_out)
    if not odd:
        return skill
    wrong = _wrong(values, labels, np.arange(len(values)) >= len(train))
    return min(skill, _skill_but_for(wrong, odd, AT_A_CHANGE))


def odd_rows(labels: NDArray[Any]) -> int:
    """Return how many rows have another label than the commonest.

    >>> odd_rows(np.array([1, 1, 0, 1, 2]))
    2
    """
    _, counts = np.unique(labels, return_counts=True)
    return len(labels) - int(counts.max())


def _wrong(values: Floats, labels: NDArray[Any], judged: NDArray[np.bool_]) -> int:
    """Return how many of the judged rows the others predict wrong."""
    known = ~judged
    guess = _predict(values[judged], values[known], labels[known], _nearest_label, _commonest)
    return int((guess != labels[judged]).sum())


def _skill_but_for(wrong: int, odd: int, forgiven: int) -> float:
    return 1 - max(0, wrong - forgiven) / odd


def _predict(
    held_out: Floats,
    train: Floats,
    y: NDArray[Any],
    by_value: Callable[[Floats, Floats, NDArray[Any]], Floats],
    without: Callable[[NDArray[Any]], float],
) -> Floats:
    """Predict each held-out row by its value, or without one as the rows that train without one."""
    is_known = ~np.isnan(train)
    alike = y if is_known.all() else y[~is_known]
    guess = np.full(len(held_out), without(alike))

    has_value = ~np.isnan(held_out)
    if is_known.any() and has_value.any():
        guess[has_value] = by_value(held_out[has_value], train[is_known], y[is_known])
    return guess


def _mean(y: NDArray[Any]) -> float:
    return float(y.mean())


def _commonest(labels: NDArray[Any]) -> float:
    distinct, counts = np.unique(labels, return_counts=True)
    return float(distinct[counts.argmax()])


def _between(held_out: Floats, train: Floats, y: NDArray[Any]) -> Floats:
    """Predict from the two nearest values, on the straight line between their mean targets."""
    values, inverse, counts = np.unique(train, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, weights=y) / counts
    return np.asarray(np.interp(held_out, values, means))


def _on_a_line(held_out: Floats, train: Floats, y: NDArray[Any]) -> Floats:
    """Predict from the straight line through all rows, which goes on where they end."""
    middle = train.mean()
    spread = float(np.square(train - middle).sum())
    if not spread:
        return np.full(len(held_out), y.mean())

    slope = float(((train - middle) * (y - y.mean())).sum()) / spread
    return np.asarray(y.mean() + slope * (held_out - middle))


def _nearest_label(held_out: Floats, train: Floats, y: NDArray[Any]) -> Floats:
    """Predict the commonest label of the nearest value."""
    values, inverse = np.unique(train, return_inverse=True)
    labels, codes = np.unique(y, return_inverse=True)
    pairs, counts = np.unique(inverse * len(labels) + codes, return_counts=True)

    commonest = np.zeros(len(values), dtype=np.int64)
    by_count = pairs[np.argsort(counts, kind="stable")]
    commonest[by_count // len(labels)] = by_count % len(labels)  # the largest count comes last

    middles = values[:-1] + (values[1:] - values[:-1]) / 2
    nearest = np.searchsorted(middles, held_out)
    return np.asarray(labels[commonest[nearest]], dtype=np.float64)

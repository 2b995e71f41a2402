"""Leaks: no feature alone gives the target away, and none only counts the rows."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.evaluation.comparison import Comparison
from tasks.core.evaluation.single_features import LEAST_ODD, odd_rows, skill_alone
from tasks.core.evaluation.verdict import Gate
from tasks.core.metrics import Problem
from tasks.core.predictions import Floats
from tasks.core.spec.spec import Spec
from tasks.core.tables.columns import Column
from tasks.core.tables.frames import to_numbers
from tasks.core.tables.targets import target_values

GIVES_AWAY = "no feature gives the target away"
COUNTS = "no feature counts the rows"
# The skill from which on a feature gives the target away. Where a label changes between two values,
# a row or two may fall on either side.
PERFECT: dict[Problem, float] = {"regression": 0.999, "classification": 0.99}
MOST_ROWS = 20_000  # that train, and as many that judge
MOST_VALUES = 2_000_000  # rows times features: a wide table is judged by fewer rows
LEAST_HELD_OUT = 20
LEAST_ROWS = 50  # of fewer rows, whole numbers may well be all different and close together
MOST_MISSING = 0.05  # a share; more gaps may say something themselves
LOOSE = 1.25  # how far the values of a counter may lie apart on the average, in any order
SPARSE = 20  # the same where they only ever rise or only ever fall, as a filter leaves them
NAMED = 3
WAY_OUT = "put it into data.drop, or into gates.leaks if it is known before a row is scored"


def leak_gates(comparison: Comparison) -> list[Gate]:
    """Return the two gates about single features, apart from those that the spec lets pass."""
    train, spec = comparison.train, comparison.spec
    judged = [item for item in comparison.features if item.name not in spec.gates.leaks]
    return [
        judge_giveaways(train, comparison.rows, judged, spec),
        judge_counters(train, comparison.rows, judged, spec),
    ]


def judge_giveaways(
    train: pa.Table, held_out: pa.Table, features: Sequence[Column], spec: Spec
) -> Gate:
    """Check that no feature alone predicts the target nearly perfectly.

    Args:
        train: the rows that train.
        held_out: the rows that judge.
        features: the features to look at.
        spec: the problem and the target.
    """
    perfect = PERFECT[spec.problem]
    allowed = f"below {perfect:g}"
    if len(held_out) < LEAST_HELD_OUT:
        reason = f"{len(held_out)} held-out rows are too few to find a feature that gives it away"
        return Gate(GIVES_AWAY, passed=True, found=None, allowed=allowed, reason=reason)

    most = min(MOST_ROWS, MOST_VALUES // max(1, len(features)))
    train, held_out = _sample(train, most, spec), _sample(held_out, most, spec)
    if spec.problem == "classification":
        odd = odd_rows(_codes(train, held_out, spec))
        if odd < LEAST_ODD:
            reason = (
                f"{odd} rows of other classes than the commonest are too few to find a feature "
                "that gives it away"
            )
            return Gate(GIVES_AWAY, passed=True, found=None, allowed=allowed, reason=reason)

    skills = dict(_skills(train, held_out, features, spec))
    best = max(skills, key=lambda name: skills[name], default="")
    found = skills.get(best, 0.0)

    leaks = [name for name, skill in skills.items() if skill >= perfect]
    reason = f"no feature alone predicts the target; the best, {best!r}, has a skill of {found:.3f}"
    if leaks:
        reason = (
            f"feature {_named(leaks)} alone predicts the target (a skill of {found:.4f}, allowed "
            f"is {allowed}): {WAY_OUT}"
        )
    return Gate(GIVES_AWAY, passed=not leaks, found=found, allowed=allowed, reason=reason)


def _skills(
    train: pa.Table, held_out: pa.Table, features: Sequence[Column], spec: Spec
) -> Iterator[tuple[str, float]]:
    """Yield the skill of each feature alone."""
    if spec.problem == "classification":
        codes = _codes(train, held_out, spec)
        y_train, y_held_out = codes[: len(train)], codes[len(train) :]
    else:
        y_train = target_values(train, spec.data.target, spec.problem)
        y_held_out = target_values(held_out, spec.data.target, spec.problem)

    for feature in features:
        both = pa.concat_tables([train.select([feature.name]), held_out.select([feature.name])])
        values = _as_numbers(both[feature.name], feature)
        known, judged = values[: len(train)], values[len(train) :]
        yield feature.name, skill_alone(known, y_train, judged, y_held_out, spec.problem)


def _codes(train: pa.Table, held_out: pa.Table, spec: Spec) -> NDArray[np.int64]:
    """Return the labels of all rows as codes, those that train first."""
    labels = [target_values(rows, spec.data.target, spec.problem) for rows in (train, held_out)]
    codes, _ = pd.factorize(np.concatenate(labels))
    return np.asarray(codes, dtype=np.int64)


def _as_numbers(column: pa.ChunkedArray, feature: Column) -> Floats:
    """Return a feature as numbers, shape (n,): categories as codes, dates as microseconds."""
    if feature.kind == "categorical":
        codes, _ = pd.factorize(column.to_numpy())
        return np.where(codes < 0, np.nan, codes)
    if feature.kind == "date":
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    numbers = np.asarray(to_numbers(column), dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _sample(table: pa.Table, most: int, spec: Spec) -> pa.Table:
    """Return about so many rows of a table, evenly spaced, and as many of the rarer classes."""
    if len(table) <= most:
        return table

    rows = _spaced(np.arange(len(table)), most)
    if spec.problem == "classification":
        labels = target_values(table, spec.data.target, spec.problem)
        codes, _ = pd.factorize(labels)
        is_odd = codes != np.bincount(codes).argmax()
        rows = np.union1d(rows, _spaced(np.flatnonzero(is_odd), most))
    return table.take(pa.array(rows))


def _spaced(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    positions = np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64)
    return rows[positions]


def judge_counters(
    train: pa.Table, held_out: pa.Table, features: Sequence[Column], spec: Spec
) -> Gate:
    """Check that no feature only counts or names the rows; the time column may.

    Args:
        train: the rows that train, in the order of the source.
        held_out: the rows that judge.
        features: the features to look at.
        spec: the time column.
    """
    found = []
    for feature in features:
        one, other = train[feature.name], held_out[feature.name]
        is_time = feature.name == spec.data.time
        if not is_time and _counts_rows(one, other, feature):
            found.append(feature.name)

    reason = "no feature counts or names the rows"
    if found:
        reason = (
            f"feature {_named(found)} counts or names the rows, as an id does: name it in data.id, "
            f"or {WAY_OUT}"
        )
    return Gate(COUNTS, not found, float(len(found)), "none", reason)


def _counts_rows(train: pa.ChunkedArray, held_out: pa.ChunkedArray, feature: Column) -> bool:
    """Return whether a feature is a row counter, or a text of its own in every row."""
    both = pa.chunked_array([*train.chunks, *held_out.chunks], train.type)
    if len(both) < LEAST_ROWS or both.null_count > MOST_MISSING * len(both):
        return False

    both = both.drop_null()
    rows = len(both)
    if feature.kind == "categorical":
        first = both.slice(0, MOST_ROWS)
        return _are_distinct(first) and _are_distinct(both)
    if feature.kind != "numeric":
        return False

    span = pc.min_max(both).as_py()
    values = span["max"] - span["min"] + 1
    if not values <= SPARSE * rows:  # nor is NaN
        return False
    is_ordered = _only_rises_or_falls(to_numbers(train.drop_null()))
    return (values <= LOOSE * rows or is_ordered) and _is_whole_and_unique(to_numbers(both))


def _are_distinct(strings: pa.ChunkedArray) -> bool:
    return bool(pc.count_distinct(strings).as_py() == len(strings))


def _only_rises_or_falls(values: Floats) -> bool:
    steps = np.diff(values)
    return bool((steps > 0).all() or (steps < 0).all())


def _is_whole_and_unique(values: Floats) -> bool:
    is_whole = bool((values == np.floor(values)).all())
    return is_whole and len(np.unique(values)) == len(values)


def _named(features: Sequence[str]) -> str:
    """Name the first few of some features.

    >>> _named(["a", "b", "c", "d", "e"])
    "'a', 'b', 'c' and 2 more"
    """
    shown = ", ".join(repr(name) for name in features[:NAMED])
    more = len(features) - NAMED
    return f"{shown} and {more} more" if more > 0 else shown

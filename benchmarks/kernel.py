"""The tree kernel alone against `predict_proba`, in this process: timed, and compared bit by
bit.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.boosting import BOOSTING
from benchmarks.contest import tell
from benchmarks.models import train
from benchmarks.result import Result, at_least, compare
from benchmarks.workshop import Workshop
from tasks.core.model.trees.kernel import build_kernel

ROWS = 10_000_000
CHUNKS = 10
SLICE = 1 << 17  # the rows a thread answers at once: those of a piece
THREADS = 2
Floats = NDArray[np.float64]
Map = Callable[[Callable[[slice], Any]], list[Any]]


def kernel(workshop: Workshop) -> list[Result]:
    """Measure rows a second over those of the library, a million rows by each in turn; every answer
    is compared.
    """
    estimator = joblib.load(train(workshop, BOOSTING).joblib)[-1]
    answer, thresholds = build_kernel(estimator).answer, list_thresholds(estimator)
    rows = workshop.rows(ROWS) // CHUNKS
    with side_by_side(rows) as each:
        turns = [
            turn(answer, estimator, make_columns(thresholds, rows, seed), each)
            for seed in range(CHUNKS + 1)
        ]
    # The first turn compiles, and is compared, but not counted.
    mine, theirs = (
        [rows / seconds for seconds in figures] for figures in zip(*turns[1:], strict=True)
    )
    title = f"{rows * CHUNKS:,} rows, {BOOSTING.title}: the kernel over `predict_proba`, both on {THREADS} threads"
    return [compare("kernel", f"{title}, all bits the same", "rows/s", mine, theirs, at_least(5.0))]


def list_thresholds(estimator: Any) -> list[Floats]:
    """List the thresholds of each feature, over all trees."""
    nodes = np.concatenate([tree.nodes for trees in estimator._predictors for tree in trees])  # noqa: SLF001
    nodes = nodes[nodes["is_leaf"] == 0]
    features = range(estimator.n_features_in_)
    return [
        np.unique(nodes["num_threshold"][nodes["feature_idx"] == feature]) for feature in features
    ]


def make_columns(thresholds: list[Floats], rows: int, seed: int) -> Floats:
    """Make columns of which one value in twenty is a threshold, a neighbour of one, zero, NaN or
    infinite.

    Every threshold is in it. Shape (features, rows).
    """
    chance = np.random.default_rng(seed)
    columns = chance.standard_normal((len(thresholds), rows))
    for column, edges in zip(columns, thresholds, strict=True):
        beside = [np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)]
        odd = np.repeat([0.0, -0.0, np.nan, np.inf, -np.inf], len(edges) // 20 + 1)
        special = np.concatenate([edges, *beside, odd])
        places = chance.choice(rows, max(rows // 20, len(special)), replace=False)
        column[places] = np.resize(special, len(places))
    return columns


def turn(
    answer: Callable[..., Any], estimator: Any, columns: Floats, each: Map
) -> tuple[float, float]:
    """Time the kernel and the library, and compare their answers.

    Raises:
        RuntimeError: they differ in a bit.
    """
    matrix = np.ascontiguousarray(columns.T)
    ours, my_seconds = timed(
        each, lambda part: answer([column[part] for column in columns], proba=True)
    )
    theirs, their_seconds = timed(each, lambda part: estimator.predict_proba(matrix[part]))
    for (predictions, probabilities), expected in zip(ours, theirs, strict=True):
        same = np.array_equal(predictions, estimator.classes_[expected.argmax(axis=1)])
        if not same or np.ascontiguousarray(probabilities).tobytes() != expected.tobytes():
            raise RuntimeError("the kernel gives other answers than the library")
    tell(
        f"kernel: {len(matrix):,} rows, {my_seconds:.3f} s against {their_seconds:.3f} s, all bits the same"
    )
    return my_seconds, their_seconds


def timed(each: Map, work: Callable[[slice], Any]) -> tuple[list[Any], float]:
    """Do some work on each slice, and time it."""
    begun = time.perf_counter()
    return each(work), time.perf_counter() - begun


@contextmanager
def side_by_side(rows: int) -> Iterator[Map]:
    """Work on the slices of so many rows on two threads, each of which starts no more."""
    slices = [slice(first, min(first + SLICE, rows)) for first in range(0, rows, SLICE)]

    def limit() -> None:
        threadpool_limits(1)

    with ThreadPoolExecutor(THREADS, initializer=limit) as pool:
        yield lambda work: list(pool.map(work, slices))

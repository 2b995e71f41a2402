"""The tree kernel alone against `predict_proba`, in this process: timed and compared by bits."""

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
from tasks.core.model.trees.kernel import Kernel, build_kernel

ROWS = 10_000_000
CHUNKS = 10
SLICE = 1 << 17  # the rows a thread predicts at once: those of a piece
THREADS = 2
Floats = NDArray[np.float64]
Map = Callable[[Callable[[slice], Any]], list[Any]]


def kernel(workshop: Workshop) -> list[Result]:
    """Measure rows a second over those of the library, a million rows by each in turn.

    All predictions are compared.
    """
    estimator = joblib.load(train(workshop, BOOSTING).joblib)[-1]
    prepared, thresholds = build_kernel(estimator), list_thresholds(estimator)
    rows = workshop.rows(ROWS) // CHUNKS

    mine, theirs = [], []
    with side_by_side(rows) as each:
        for seed in range(CHUNKS + 1):
            columns = make_columns(thresholds, rows, seed)
            my_seconds, their_seconds = turn(prepared, estimator, columns, each)
            if seed > 0:  # the first turn compiles, and is compared, but not counted
                mine.append(rows / my_seconds)
                theirs.append(rows / their_seconds)

    both = f"the kernel over `predict_proba`, both on {THREADS} threads, all bits the same"
    title = f"{rows * CHUNKS:,} rows, {BOOSTING.title}: {both}"
    return [compare("kernel", title, "rows/s", mine, theirs, at_least(5.0))]


def list_thresholds(estimator: Any) -> list[Floats]:
    """List the thresholds of each feature, over all trees."""
    iterations = estimator._predictors  # noqa: SLF001 - the trees have no public name
    nodes = np.concatenate([tree.nodes for trees in iterations for tree in trees])
    nodes = nodes[nodes["is_leaf"] == 0]

    found = []
    for feature in range(estimator.n_features_in_):
        thresholds = nodes["num_threshold"][nodes["feature_idx"] == feature]
        found.append(np.unique(thresholds))
    return found


def make_columns(thresholds: list[Floats], rows: int, seed: int) -> Floats:
    """Make columns of which one value in twenty is odd.

    It is a threshold, a neighbour of one, zero, NaN or infinite. Every threshold is in it. Shape
    (features, rows).
    """
    chance = np.random.default_rng(seed)
    columns = chance.standard_normal((len(thresholds), rows))

    for column, edges in zip(columns, thresholds, strict=True):
        below, above = np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)
        odd = np.repeat([0.0, -0.0, np.nan, np.inf, -np.inf], len(edges) // 20 + 1)
        special = np.concatenate([edges, below, above, odd])
        count = max(rows // 20, len(special))
        places = chance.choice(rows, count, replace=False)
        column[places] = np.resize(special, count)
    return columns


def turn(prepared: Kernel, estimator: Any, columns: Floats, each: Map) -> tuple[float, float]:
    """Time the kernel and the library, and compare their predictions.

    Raises:
        RuntimeError: they differ in a bit.
    """
    matrix = np.ascontiguousarray(columns.T)

    def by_kernel(rows: slice) -> tuple[NDArray[Any], NDArray[Any] | None]:
        return prepared.predict([column[rows] for column in columns], proba=True)

    ours, my_seconds = timed(each, by_kernel)
    theirs, their_seconds = timed(each, lambda rows: estimator.predict_proba(matrix[rows]))
    for (predictions, probabilities), expected in zip(ours, theirs, strict=True):
        check_same_bits(probabilities, expected)
        labels = estimator.classes_[expected.argmax(axis=1)]
        if not np.array_equal(predictions, labels):
            raise RuntimeError("the kernel predicts otherwise than the library")

    took = f"{my_seconds:.3f} s against {their_seconds:.3f} s"
    tell(f"kernel: {len(matrix):,} rows, {took}, all bits the same")
    return my_seconds, their_seconds


def check_same_bits(found: Floats, expected: Floats) -> None:
    """Compare probabilities.

    Raises:
        RuntimeError: they differ in a bit.
    """
    if np.ascontiguousarray(found).tobytes() != expected.tobytes():
        raise RuntimeError("the kernel predicts otherwise than the library")


def timed(each: Map, work: Callable[[slice], Any]) -> tuple[list[Any], float]:
    """Do some work on each slice, and time it."""
    begun = time.perf_counter()
    done = each(work)
    return done, time.perf_counter() - begun


@contextmanager
def side_by_side(rows: int) -> Iterator[Map]:
    """Work on the slices of so many rows on two threads, each of which starts no more."""
    slices = [slice(first, min(first + SLICE, rows)) for first in range(0, rows, SLICE)]

    def limit() -> None:
        threadpool_limits(1)

    with ThreadPoolExecutor(THREADS, initializer=limit) as pool:
        yield lambda work: list(pool.map(work, slices))

"""Checks of the numbers in a model that compiled code takes as positions, without looking.

Those inside of trees are checked by `tasks.core.model.trees.checks`.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.core.model.contents import objects_inside


def check_indices(estimator: Any) -> None:
    """Refuse a fitted estimator with positions beyond its own arrays, wherever in it they are.

    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> check_indices(KNeighborsRegressor(1).fit([[0], [1]], [0, 1]))

    Raises:
        ValueError: with the part; scikit-learn or SciPy would read memory that is not the model's.
    """
    for found in objects_inside(estimator):
        for kind in type(found).__mro__:
            check = CHECKS.get(kind.__name__)
            if check is not None and kind.__module__.startswith(("sklearn.", "scipy.")):
                check(found)


def check_search_tree(tree: Any) -> None:
    """Refuse a KDTree or BallTree whose nodes lead out of it."""
    data, order, nodes, bounds, _, _, count, *_, weights = tree.__getstate__()
    rows = len(data)
    starts, ends = nodes["idx_start"], nodes["idx_end"]
    inner = np.flatnonzero(nodes["is_leaf"] == 0)

    is_whole = len(order) == rows and len(nodes) == count and _are_positions(order, rows)
    is_inside = (starts >= 0) & (starts <= ends) & (ends <= rows)
    has_children = 2 * inner + 2 < count
    has_bounds = bounds.shape[1:] == (count, data.shape[1])
    is_weighted = weights is None or len(weights) == rows
    _refuse_unless(
        is_whole and is_inside.all() and has_children.all() and has_bounds and is_weighted,
        tree,
        "nodes that lead out of it",
    )


def check_neighbors(model: Any) -> None:
    """Refuse a model of neighbours with fewer targets than rows, or with targets of no class."""
    if "_fit_X" not in vars(model):
        return

    searched = model._fit_X  # noqa: SLF001 - what scikit-learn searches
    rows = searched.shape[0]
    is_as_wide = model.effective_metric_ == "precomputed" or (
        searched.shape[1:] == (model.n_features_in_,)
    )
    _refuse_unless(is_as_wide, model, "rows of another width than its features")

    tree = getattr(model, "_tree", None)
    counts = {rows, getattr(model, "n_samples_fit_", rows)}
    counts |= {len(tree.data)} if tree is not None else set()

    targets = getattr(model, "_y", None)
    if targets is not None:
        counts.add(len(targets))
    _refuse_unless(len(counts) == 1, model, "not as many rows as targets")

    classes = getattr(model, "classes_", None)
    if targets is not None and isinstance(classes, np.ndarray) and targets.ndim == 1:
        is_class = _are_positions(targets, len(classes))
        _refuse_unless(is_class, model, "targets that are none of its classes")


def check_libsvm(model: Any) -> None:
    """Refuse a support vector machine whose counts do not fit to its arrays."""
    if "support_vectors_" not in vars(model):
        return

    private = vars(model)
    vectors = len(model.support_)
    counts = np.asarray(private["_n_support"])
    machines = len(counts) * (len(counts) - 1) // 2

    coefficients = private["_dual_coef_"]
    shape = (len(counts) - 1, vectors)
    probabilities = {len(private["_probA"]), len(private["_probB"])}
    fits = (
        _is_counted(model, counts, vectors)
        and coefficients.shape == shape
        and coefficients.data.nbytes == np.prod(shape) * coefficients.dtype.itemsize
        and len(private["_intercept_"]) == machines
        and probabilities in ({0}, {machines})
        and _has_vectors(model)
    )
    _refuse_unless(fits, model, "counts that do not fit to its vectors")


def _is_counted(model: Any, counts: NDArray[Any], vectors: int) -> bool:
    """Return whether the support vectors of each class, or of both sides, are all there are."""
    if not any(kind.__name__ == "BaseSVC" for kind in type(model).__mro__):
        return bool(counts.tolist() == [vectors, vectors])
    is_of_classes = len(counts) == len(model.classes_) > 1 and min(counts) >= 0
    return bool(is_of_classes and sum(counts) == vectors)


def _has_vectors(model: Any) -> bool:
    """Return whether there is a support vector of the right width for each position."""
    if model.kernel == "precomputed":
        return _are_positions(model.support_, model.shape_fit_[0])
    return bool(model.support_vectors_.shape == (len(model.support_), model.n_features_in_))


def check_vocabulary(vectorizer: Any) -> None:
    """Refuse a vocabulary that does not number its words 0, 1, 2, ..."""
    vocabulary = vars(vectorizer).get("vocabulary_")
    if vocabulary is not None:
        numbers = sorted(vocabulary.values())
        is_numbered = numbers == list(range(len(numbers)))
        _refuse_unless(is_numbered, vectorizer, "a vocabulary that does not number its words")


def check_one_hot(encoder: Any) -> None:
    """Refuse a OneHotEncoder that makes other columns than its categories are."""
    if "categories_" not in vars(encoder):
        return

    widths = [len(categories) for categories in encoder.categories_]
    dropped = vars(encoder).get("_drop_idx_after_grouping")
    groups = vars(encoder).get("_default_to_infrequent_mappings") or []
    for position, group in enumerate(groups):
        if group is not None:
            is_complete = len(group) == widths[position]
            _refuse_unless(is_complete, encoder, "groups of other categories than its own")
            widths[position] = int(np.max(group)) + 1

    if dropped is not None:
        _refuse_unless(len(dropped) == len(widths), encoder, "other columns than categories")
        for position, index in enumerate(dropped):
            if index is not None:
                is_inside = 0 <= index < widths[position]
                _refuse_unless(is_inside, encoder, "a dropped category that is not there")
                widths[position] -= 1

    made = vars(encoder).get("_n_features_outs")
    _refuse_unless(made is None or list(made) == widths, encoder, "other columns than categories")


def check_centers(model: Any) -> None:
    """Refuse cluster centres of another width than the rows have."""
    centers = vars(model).get("cluster_centers_")
    if centers is not None:
        is_as_wide = centers.shape[1:] == (model.n_features_in_,)
        _refuse_unless(is_as_wide, model, "centres of another width than its features")


def check_sparse(matrix: Any) -> None:
    """Refuse a sparse matrix with positions beyond its shape."""
    if hasattr(matrix, "check_format"):
        matrix.check_format(full_check=True)
        return

    if hasattr(matrix, "row"):
        rows, columns = matrix.shape
        is_inside = _are_positions(matrix.row, rows) and _are_positions(matrix.col, columns)
        _refuse_unless(is_inside, matrix, "values beyond its shape")


def check_spline(spline: Any) -> None:
    """Refuse a spline with fewer coefficients than its knots ask for."""
    knots, coefficients, degree = spline.t, spline.c, int(spline.k)
    needed = len(knots) - degree - 1
    is_whole = degree >= 0 and needed > degree and len(coefficients) >= needed
    _refuse_unless(is_whole, spline, "fewer coefficients than knots")


def _are_positions(numbers: Iterable[int] | NDArray[Any], length: int) -> bool:
    """Return whether all of these are positions in something of that length."""
    found = np.asarray(numbers)
    return bool(((found >= 0) & (found < length)).all())


def _refuse_unless(fits: bool | np.bool_, part: Any, what: str) -> None:
    if not fits:
        raise ValueError(f"the model is damaged: a {type(part).__name__} has {what}")


CHECKS: dict[str, Callable[[Any], None]] = {
    "BinaryTree32": check_search_tree,
    "BinaryTree64": check_search_tree,
    "NeighborsBase": check_neighbors,
    "BaseLibSVM": check_libsvm,
    "CountVectorizer": check_vocabulary,
    "DictVectorizer": check_vocabulary,
    "OneHotEncoder": check_one_hot,
    "KMeans": check_centers,
    "MiniBatchKMeans": check_centers,
    "BisectingKMeans": check_centers,
    "_spbase": check_sparse,
    "BSpline": check_spline,
}

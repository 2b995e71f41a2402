"""Parameters that speak of columns: a spec names them, an estimator gets their positions.

The preparation puts the columns in an order of its own, and makes several of one: a position in a
spec would mean another column than the one that its author sees.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tasks.core.errors import RequestError
from tasks.core.spec.spec import Spec
from tasks.core.tables.columns import NUMBER_KINDS, Column
from tasks.core.wording import nearest_name

CONSTRAINTS = "monotonic_cst"
INTERACTIONS = "interaction_cst"
CATEGORIES = "categorical_features"
SHORTHANDS = ("pairwise", "no_interactions")


def check_column_params(params: Mapping[str, Any]) -> None:
    """Refuse parameters that speak of columns by position, or of columns nobody can name.

    >>> check_column_params({"monotonic_cst": {"price": -1}, "max_iter": 5})

    Raises:
        ValueError: with the parameter, and what to write.
    """
    for name, value in params.items():
        if name in FORMS and value is not None:
            FORMS[name](name, value)


def _check_constraints(name: str, value: Any) -> None:
    if not isinstance(value, Mapping) or not _are_names(value):
        raise ValueError(
            f"{name!r} would speak of columns by position, which the preparation changes: "
            "name them, as in {price: -1}"
        )
    for column, sign in value.items():
        if sign not in (-1, 0, 1) or isinstance(sign, bool):
            raise ValueError(f"{name!r} is {sign!r} for {column!r}: write -1, 0 or 1")


def _check_interactions(name: str, value: Any) -> None:
    if value in SHORTHANDS:
        return
    groups = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if not all(isinstance(group, list | tuple) and _are_names(group) for group in groups):
        raise ValueError(
            f"{name!r} would speak of columns by position, which the preparation changes: "
            f"name them, as in [[price, income], [size]], or write {' or '.join(SHORTHANDS)}"
        )


def _refuse_categories(name: str, value: Any) -> None:
    if value != "from_dtype":
        raise ValueError(
            f"{name!r} is set by the preparation: every column of text is a category, no other "
            "is; leave it out, and store the codes of categories as text"
        )


def _refuse_arrays(name: str, value: Any) -> None:
    values = value.values() if isinstance(value, Mapping) else [value]
    if any(isinstance(item, list | tuple) for item in values):
        raise ValueError(
            f"{name!r} would give each column its value by position, which the preparation "
            "changes: give one value for all columns, or leave it out"
        )


def _are_names(columns: Any) -> bool:
    return all(isinstance(column, str) for column in columns)


# What each parameter may be. The last few are arrays with a value for each column.
FORMS: dict[str, Callable[[str, Any], None]] = {
    CONSTRAINTS: _check_constraints,
    INTERACTIONS: _check_interactions,
    CATEGORIES: _refuse_categories,
    "alpha": _refuse_arrays,
    "min_categories": _refuse_arrays,
    "precompute": _refuse_arrays,
    "metric_params": _refuse_arrays,
    "kernel_params": _refuse_arrays,
}


def check_columns_named(spec: Spec, features: Sequence[Column]) -> None:
    """Refuse a spec whose candidates or gates name a column that is no feature.

    Raises:
        RequestError: with the column, and where it is named; or a constraint on a column that holds
            no numbers.
    """
    for position, candidate in enumerate(spec.candidates):
        constraints, groups = _named(candidate.params)
        names = [*constraints, *(name for group in groups for name in group)]
        _check_features(names, features, f"candidates.{position}")

        numbers = {column.name for column in features if column.kind in NUMBER_KINDS}
        for name, sign in constraints.items():
            if sign and name not in numbers:
                raise RequestError(
                    f"candidates.{position}: {CONSTRAINTS!r} names {name!r}, which holds no "
                    "numbers: take it out."
                )

    _check_features(spec.gates.leaks, features, "gates.leaks")


def _check_features(names: Sequence[str], features: Sequence[Column], where: str) -> None:
    known = [column.name for column in features]
    for name in names:
        if name not in known:
            hint = nearest_name(name, known)
            raise RequestError(f"{where}: column {name!r} is no feature{hint}")


def names_columns(estimator: Any) -> bool:
    """Return whether the parameters of an estimator name columns."""
    params = estimator.get_params(deep=False)
    is_constrained = isinstance(params.get(CONSTRAINTS), Mapping)
    return is_constrained or isinstance(params.get(INTERACTIONS), list | tuple)


def _named(params: Mapping[str, Any]) -> tuple[Mapping[str, int], Sequence[Sequence[str]]]:
    """Return the constraints by name, and the groups of columns that may interact."""
    constraints = params.get(CONSTRAINTS)
    groups = params.get(INTERACTIONS)
    return (
        constraints if isinstance(constraints, Mapping) else {},
        groups if isinstance(groups, list | tuple) else [],
    )


def params_by_position(estimator: Any, places: Mapping[str, range], width: int) -> dict[str, Any]:
    """Return the parameters of an estimator that name columns, with positions in their place.

    Args:
        estimator: not fitted; its parameters name columns.
        places: the positions of each column in what the estimator is given.
        width: how many columns it is given.
    """
    params = estimator.get_params(deep=False)
    constraints, groups = _named(params)
    placed: dict[str, Any] = {}

    if params.get(CONSTRAINTS) is not None:
        signs = np.zeros(width, dtype=np.int8)
        for name, sign in constraints.items():
            if sign:
                signs[places[name]] = sign
        placed[CONSTRAINTS] = signs.tolist()

    if groups:
        placed[INTERACTIONS] = [
            sorted({position for name in group for position in places[name]}) for group in groups
        ]
    return placed

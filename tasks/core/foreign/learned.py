"""What a fitted pipeline learned of each column: the values that its encoders know.

They tell in which form a column was when the pipeline was fitted.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tasks.core.model.contents import objects_inside

NAN = float("nan")  # the one NaN in a set of values: no other is equal to it, nor it to others
Learned = dict[str, set[Any]]
# Where estimators keep a fitted one that takes the same columns.
INNER = ("best_estimator_", "estimator_", "regressor_", "_preprocessor")


def learned_values(model: Any, names: Sequence[str]) -> Learned:
    """Return the values that the encoders of a pipeline were fitted on, by column.

    Args:
        model: a fitted pipeline or estimator.
        names: the columns that it takes, in order.
    """
    found: Learned = {}
    for columns, encoder in _encoders(model, list(names)):
        for name, categories in zip(columns, encoder.categories_, strict=True):
            found.setdefault(name, set()).update(known_values(categories))
    return found


def knows_none(model: Any) -> bool:
    """Return whether any encoder inside learned None as a category."""
    for found in objects_inside(model):
        categories = getattr(found, "categories_", None)
        if isinstance(categories, list) and any(None in known_values(each) for each in categories):
            return True
    return False


def known_values(values: NDArray[Any] | pd.Series) -> set[Any]:
    """Return the distinct values of a column; every NaN is the same in it.

    >>> known_values(np.array(["a", np.nan, None], dtype=object)) == {"a", NAN, None}
    True
    """
    return {as_known(value) for value in as_list(values)}


def as_list(values: NDArray[Any] | pd.Series) -> list[Any]:
    """Return values as Python's own, and dates as pandas' timestamps."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "mM":
        return pd.Series(values).tolist()
    return list(values.tolist())


def as_known(value: Any) -> Any:
    """Return a value as it stands in a set of known values."""
    if value is None:
        return None
    return NAN if pd.isna(value) else value


def share_known(values: pd.Series, known: set[Any]) -> float:
    """Return the share of values that an encoder knows, the missing ones included.

    >>> share_known(pd.Series(["a", "b", "a", "c"]), {"a", "b"})
    0.75
    """
    found = [as_known(value) in known for value in as_list(values)]
    return float(np.mean(found)) if found else 0.0


def _encoders(model: Any, columns: list[str] | None) -> Iterator[tuple[list[str], Any]]:
    """Yield each encoder that sees columns as they are read, with their names.

    Args:
        model: a fitted estimator or transformer.
        columns: what it takes; None where that is no longer what was read.
    """
    if columns is None:
        return

    for inner, taken in _inside(model, columns):
        yield from _encoders(inner, taken)

    categories = getattr(model, "categories_", None)
    if isinstance(categories, list) and len(categories) == len(columns):
        yield columns, model


def _inside(model: Any, columns: list[str]) -> Iterable[tuple[Any, list[str] | None]]:
    """List what a transformer hands its columns to, with their names."""
    if hasattr(model, "steps"):
        return _steps(model, columns)
    if hasattr(model, "transformers_"):
        return [(inner, _chosen(chosen, columns)) for _, inner, chosen in model.transformers_]
    if hasattr(model, "transformer_list"):
        return [(inner, columns) for _, inner in model.transformer_list]

    inner = [getattr(model, name, None) for name in INNER]
    if type(model).__name__.startswith(("Voting", "Stacking")):
        inner += list(getattr(model, "estimators_", []))
    return [(found, columns) for found in inner if found is not None]


def _steps(pipeline: Any, columns: list[str]) -> Iterator[tuple[Any, list[str] | None]]:
    """Yield the steps that see the columns: up to the first that is no imputer."""
    for _, step in pipeline.steps:
        yield step, columns
        is_imputer = type(step).__name__ == "SimpleImputer" and not step.add_indicator
        if not (is_imputer or isinstance(step, str)):
            return


def _chosen(chosen: Any, columns: list[str]) -> list[str] | None:
    """Return the names of the columns that a ColumnTransformer chooses, if that is known."""
    if isinstance(chosen, str):
        return [chosen]
    if isinstance(chosen, slice):
        return columns[chosen] if isinstance(chosen.start, int | None) else None

    numbers_or_names = np.asarray(chosen)
    if numbers_or_names.dtype == bool:
        return [name for name, taken in zip(columns, numbers_or_names, strict=True) if taken]
    if numbers_or_names.dtype.kind in "iu":
        return [columns[number] for number in numbers_or_names.ravel()]
    return [str(name) for name in numbers_or_names.ravel()]

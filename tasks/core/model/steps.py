"""The steps of a fitted pipeline, or of a bare estimator."""

from collections.abc import Sequence
from typing import Any

from tasks.core.model.categories import are_names
from tasks.core.tables.columns import NUMBER_KINDS, Column


def steps_of(pipeline: Any) -> list[tuple[str, Any]]:
    """Return the named steps of a pipeline; a bare estimator has none."""
    return list(getattr(pipeline, "steps", []))


def last_step(pipeline: Any) -> Any:
    """Return the last step of a pipeline, or a bare estimator itself."""
    steps = steps_of(pipeline)
    return steps[-1][1] if steps else pipeline


def last_width(pipeline: Any) -> int:
    """Return the number of columns that the last step of a pipeline takes."""
    return int(getattr(last_step(pipeline), "n_features_in_", 0))


def preparation_of(pipeline: Any) -> Any:
    """Return what comes before the last step, as a pipeline; it may change nothing."""
    if len(steps_of(pipeline)) > 1:
        return pipeline[:-1]

    from sklearn.preprocessing import FunctionTransformer  # noqa: PLC0415 - slow to import

    return FunctionTransformer()


def plain_columns(pipeline: Any, features: Sequence[Column]) -> tuple[str, ...] | None:
    """Return the columns that the last step takes, where all before it only puts them in order.

    None where a step before it changes a value.
    """
    if any(column.kind not in NUMBER_KINDS for column in features):
        return None

    steps = [step for _, step in steps_of(pipeline)[:-1]]
    if not steps:
        return tuple(column.name for column in features)

    first, *others = steps
    is_selection = type(first).__name__ == "ColumnTransformer" and first.remainder == "drop"
    if others or not is_selection:
        return None

    names: list[str] = []
    for _, transformer, columns in first.transformers:
        if not are_names(columns) or (columns and transformer != "passthrough"):
            return None
        names += columns
    return tuple(names)

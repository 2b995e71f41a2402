"""The steps of a pipeline."""

from collections.abc import Sequence
from typing import Any

from tasks.core.model.categories import are_names
from tasks.core.tables.columns import NUMBER_KINDS, Column


def steps_of(pipeline: Any) -> list[tuple[str, Any]]:
    """Give the named steps of a pipeline; a bare estimator has none."""
    return list(getattr(pipeline, "steps", []))


def last_step(pipeline: Any) -> Any:
    """Give the last step of a pipeline, or a bare estimator itself."""
    steps = steps_of(pipeline)
    return steps[-1][1] if steps else pipeline


def last_width(pipeline: Any) -> int:
    """Tell how many columns the last step of a pipeline takes."""
    return int(getattr(last_step(pipeline), "n_features_in_", 0))


def preparation_of(pipeline: Any) -> Any:
    """Give what comes before the last step, as a pipeline; it may be nothing."""
    if len(steps_of(pipeline)) > 1:
        return pipeline[:-1]
    from sklearn.preprocessing import FunctionTransformer  # noqa: PLC0415 - only bare estimators need it

    return FunctionTransformer()


def plain_columns(pipeline: Any, features: Sequence[Column]) -> tuple[str, ...] | None:
    """Name the columns that the last step takes, in its order, where all before it only puts
    columns in order.
    """
    if any(column.kind not in NUMBER_KINDS for column in features):
        return None
    steps = steps_of(pipeline)[:-1]
    if not steps:
        return tuple(column.name for column in features)
    (transformer, *more) = [step for _, step in steps]
    if more or type(transformer).__name__ != "ColumnTransformer" or transformer.remainder != "drop":
        return None
    names: list[str] = []
    for _, kind, columns in transformer.transformers:
        if not are_names(columns) or (columns and kind != "passthrough"):
            return None
        names += columns
    return tuple(names)

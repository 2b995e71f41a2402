"""Preparation: what a pipeline does before its last step, and what of that can be left out."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.core.columns import Column, to_frame
from tasks.core.trees.checks import objects_inside


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
    """Name the columns that the last step takes, in its order, where all before it only puts columns in order."""
    if any(column.kind not in {"numeric", "boolean"} for column in features):
        return None
    steps = steps_of(pipeline)[:-1]
    if not steps:
        return tuple(column.name for column in features)
    (transformer, *more) = [step for _, step in steps]
    if more or type(transformer).__name__ != "ColumnTransformer" or transformer.remainder != "drop":
        return None
    chosen = [(kind, columns) for _, kind, columns in transformer.transformers if len(columns)]
    if any(kind != "passthrough" or not _are_names(columns) for kind, columns in chosen):
        return None
    return tuple(name for _, columns in chosen for name in columns)


def without_choice(pipeline: Any, features: tuple[Column, ...], rows: pa.Table) -> tuple[Any, tuple[Column, ...]]:
    """Leave out a ColumnTransformer that hands all it chooses to one transformer; its choice becomes the features.

    The copy it makes of what that transformer gives is spared. Nothing is left out unless `rows` are prepared to the
    same bits in the same order of memory, on which the last bits of a product with a matrix depend.
    """
    inner = _only_transformer(pipeline)
    if inner is None:
        return pipeline, features
    transformer, names = inner
    by_name = {column.name: column for column in features}
    chosen = tuple(by_name[name] for name in names)
    try:
        prepared = steps_of(pipeline)[0][1].transform(to_frame(rows, features))
        same = _are_same(prepared, transformer.transform(to_frame(rows, chosen)))
    except Exception:  # noqa: BLE001 - somebody's code may raise anything: with these rows it cannot be tried
        return pipeline, features
    rest = steps_of(pipeline)[1:]
    return (type(pipeline)([("prepare", transformer), *rest]), chosen) if same else (pipeline, features)


def scale_in_place(pipeline: Any) -> Any:
    """Let each scaler that follows an imputer work on the array the imputer made for it, not on a copy of that."""
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - slow to import
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler  # noqa: PLC0415

    for found in objects_inside(pipeline):
        for (_, before), (_, after) in pairwise(steps_of(found)):
            fresh = type(before) is SimpleImputer and before.copy
            if fresh and type(after) in {MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler}:
                after.copy = False
    return pipeline


def _only_transformer(pipeline: Any) -> tuple[Any, list[str]] | None:
    """Find the one transformer in the first step, and the columns it takes; nothing if there are others."""
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415 - slow to import
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - the same

    if type(pipeline) is not Pipeline or len(pipeline.steps) < 2:  # noqa: PLR2004 - a choice, and what it is for
        return None
    first = pipeline.steps[0][1]
    if type(first) is not ColumnTransformer or first.transformer_weights:
        return None
    used = [(inner, columns) for _, inner, columns in first.transformers_ if inner != "drop" and len(columns)]
    (transformer, columns) = used[0] if len(used) == 1 else (None, [])
    if not hasattr(transformer, "transform") or not _are_names(columns) or len(set(columns)) < len(columns):
        return None
    return transformer, list(columns)


def _are_names(columns: Any) -> bool:
    return isinstance(columns, list | tuple) and all(isinstance(name, str) for name in columns)


def _are_same(one: Any, other: Any) -> bool:
    return (
        type(one) is type(other) is np.ndarray
        and (one.dtype, one.shape, one.strides) == (other.dtype, other.shape, other.strides)
        and one.dtype != object
        and one.tobytes() == other.tobytes()
    )

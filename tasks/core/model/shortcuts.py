"""Preparation: what a pipeline does before its last step, and cheaper ways to the same."""

import copy
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from tasks.core.model.categories import are_names
from tasks.core.model.contents import objects_inside
from tasks.core.tables.columns import NUMBER_KINDS, Column
from tasks.core.tables.frames import to_frame


def bypass_copies(
    pipeline: Any, features: tuple[Column, ...], rows: pa.Table
) -> tuple[Any, tuple[Column, ...]]:
    """Prepare rows with fewer copies: give a pipeline that does so, and the features it takes.

    A ColumnTransformer that gives all it selects to one transformer is left out; imputers and
    scalers work in place on what was made for them, by `to_frame` or by the step before. The
    pipeline stays as it is unless both ways prepare `rows` to the same bits, in the same order of
    memory: the last bits of a product with a matrix depend on that.
    """
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - slow to import

    if (
        type(pipeline) is not Pipeline or len(pipeline.steps) == 1 or len(rows) == 1
    ):  # one row lies in any order
        return pipeline, features
    try:
        lean, taken = _without_selection(copy.deepcopy(pipeline[:-1]), features)
        _work_in_place(lean, owned=all(column.kind in NUMBER_KINDS for column in taken))
        prepared = pipeline[:-1].transform(to_frame(rows, features))
        same = _are_same(prepared, lean.transform(to_frame(rows, taken)))
    except Exception:  # noqa: BLE001 - somebody's code may raise anything: with these rows it cannot be tried
        same = False
    return (Pipeline([*lean.steps, pipeline.steps[-1]]), taken) if same else (pipeline, features)


def _work_in_place(preparation: Any, *, owned: bool) -> None:
    """Let imputers and scalers change rows that nobody else sees: `owned` says whether the first
    step's are such.
    """
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - slow to import
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - the same
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler  # noqa: PLC0415

    scalers = {MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler}
    for found in objects_inside(preparation):
        steps = [step for _, step in found.steps] if type(found) is Pipeline else []
        for before, after in pairwise(steps):
            if type(before) is SimpleImputer and before.copy and type(after) in scalers:
                after.copy = False
    first = preparation
    while type(first) is Pipeline:
        first = first.steps[0][1]
    if owned and type(first) in {SimpleImputer, *scalers}:
        first.copy = False


def _without_selection(
    preparation: Any, features: tuple[Column, ...]
) -> tuple[Any, tuple[Column, ...]]:
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415 - slow to import
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - the same

    (label, first), *rest = preparation.steps
    if type(first) is not ColumnTransformer or first.transformer_weights:
        return preparation, features
    used = [(inner, columns) for _, inner, columns in first.transformers_ if inner != "drop"]
    used = [(inner, columns) for inner, columns in used if not (are_names(columns) and not columns)]
    if len(used) != 1 or not are_names(used[0][1]) or len(set(used[0][1])) < len(used[0][1]):
        return preparation, features
    ((transformer, names),) = used
    by_name = {column.name: column for column in features}
    return Pipeline([(label, transformer), *rest]), tuple(by_name[name] for name in names)


def _are_same(one: Any, other: Any) -> bool:
    return (
        type(one) is type(other) is np.ndarray
        and one.dtype != object
        and (one.dtype, one.shape, _order(one)) == (other.dtype, other.shape, _order(other))
        and one.tobytes() == other.tobytes()
    )


def _order(array: Any) -> list[int]:
    """Tell how an array lies in memory, but for axes of length one, of which any two lie the
    same.
    """
    return [stride for stride, length in zip(array.strides, array.shape, strict=True) if length > 1]

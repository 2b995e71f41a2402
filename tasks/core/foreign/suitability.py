"""Suitability: whether a model from elsewhere is about what the spec and its table are about."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.core.errors import RequestError
from tasks.core.metrics import Problem
from tasks.core.tables.columns import Column

KINDS = {"classification": "classifier", "regression": "regressor"}
SHOWN = 10


def check_kind(model: Any, problem: Problem) -> None:
    """Refuse a model that is of another kind than the problem of the spec.

    Raises:
        RequestError: with both kinds.
    """
    if not (hasattr(model, "predict") and hasattr(model, "get_params")):
        raise RequestError(f"The model is a {type(model).__name__}: it predicts nothing.")

    found = _kind_of(model)
    wanted = KINDS[problem]
    if found != wanted:
        others = {kind: name for name, kind in KINDS.items()}
        way_out = f"set `problem: {others[found]}`" if found in others else f"fit a {wanted}"
        raise RequestError(
            f"The model is a {found or type(model).__name__}, and `problem: {problem}` of the spec "
            f"asks for a {wanted}: {way_out}."
        )


def _kind_of(model: Any) -> str:
    """Return what scikit-learn says an estimator is: a classifier, a regressor, a clusterer."""
    from sklearn.utils import get_tags  # noqa: PLC0415 - slow to import

    return str(get_tags(model).estimator_type or "")


def check_classes(model: Any, target: str, labels: Sequence[Any]) -> None:
    """Refuse a classifier that does not know every class of the target.

    True is 1 and 1.0, as everywhere in Python; "1" is not.

    Args:
        model: a fitted classifier.
        target: the name of the target.
        labels: its distinct values.

    Raises:
        RequestError: with the classes of both.
    """
    classes = getattr(model, "classes_", None)
    if not isinstance(classes, np.ndarray) or classes.ndim != 1:
        raise RequestError("The model has not one list of classes: it predicts several targets.")

    known = classes.tolist()
    all_known = set(known)
    unknown = [label for label in labels if label not in all_known]
    if unknown:
        raise RequestError(
            f"The model knows the classes {_listed(known)}, and the target {target!r} has "
            f"{_listed(labels)}: {_listed(unknown)} it could never predict. Fit it on the values "
            "of the target as they stand in the source."
        )


def order_features(model: Any, features: Sequence[Column]) -> tuple[Column, ...]:
    """Return the features of the spec in the order in which a model was fitted on them.

    Raises:
        RequestError: the model was fitted on other columns; with the names of those that differ.
    """
    names = [column.name for column in features]
    fitted = _names_of(model)
    if fitted is None:
        _check_count(model, names)
        return tuple(features)

    missing = [name for name in fitted if name not in names]
    if missing:
        raise RequestError(
            f"The model was fitted on {_columns(missing)}, which the spec's features "
            f"{_listed(names)} do not have."
        )
    further = [name for name in names if name not in fitted]
    if further:
        raise RequestError(
            f"The model was not fitted on {_columns(further)}, which the source has: "
            "add to `data.drop` what is no feature."
        )

    by_name = {column.name: column for column in features}
    return tuple(by_name[name] for name in fitted)


def _names_of(model: Any) -> list[str] | None:
    """Return the names of the columns that a model was fitted on, if it was fitted on names."""
    found = getattr(model, "feature_names_in_", None)
    if found is None:
        return None

    names = np.asarray(found).ravel().tolist()
    if len(set(names)) < len(names):
        raise RequestError("The model is damaged: it was fitted on two columns of one name.")
    return [str(name) for name in names]


def _check_count(model: Any, names: Sequence[str]) -> None:
    count = getattr(model, "n_features_in_", len(names))
    if count != len(names):
        raise RequestError(
            f"The model was fitted on {count} columns without names, and the spec has "
            f"{len(names)} features: {_listed(names)}."
        )


def _columns(names: Sequence[str]) -> str:
    noun = "column" if len(names) == 1 else "columns"
    return f"{noun} {_listed(names)}"


def _listed(values: Sequence[Any]) -> str:
    """List the first few values.

    >>> _listed(["no", "yes"])
    "'no', 'yes'"
    """
    shown = [repr(value) for value in values[:SHOWN]]
    more = ["..."] if len(values) > SHOWN else []
    return ", ".join([*shown, *more])

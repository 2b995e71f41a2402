"""Candidates: an estimator, and before it the preparation that its kind of column needs."""

import difflib
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.core.columns import Column, Kind
from tasks.core.metrics import Metric, Problem

SEED = 0
MAX_CATEGORIES = 250  # HistGradientBoosting takes at most 255; rarer ones share one code


def estimator_class(name: str) -> type[Any]:
    """Find a scikit-learn estimator by its full name.

    Raises:
        ValueError: it is none of scikit-learn's; the message names the nearest ones.
    """
    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] != "sklearn":
        raise ValueError(f"{name!r} is not a scikit-learn estimator: its full name begins with `sklearn.`")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):
        found = None
    if not (isinstance(found, type) and hasattr(found, "fit") and hasattr(found, "predict")):
        raise ValueError(f"{name!r} is not an estimator{_nearest(attribute)}")
    return found


def _nearest(attribute: str) -> str:
    from sklearn.utils import all_estimators  # noqa: PLC0415 - imports all of scikit-learn, for one message

    names = {
        name: ".".join(kind.__module__.split(".")[:2]) for name, kind in all_estimators() if hasattr(kind, "predict")
    }
    near = difflib.get_close_matches(attribute, names, n=3)
    return f"; did you mean {' or '.join(f'{names[name]}.{name}' for name in near)}?" if near else ""


def make_estimator(name: str, params: Mapping[str, Any]) -> Any:
    """Construct an estimator, with a fixed seed where it takes chance and none was given.

    Raises:
        ValueError: it is unknown, or has no such parameter.
    """
    kind = estimator_class(name)
    try:
        known = kind().get_params(deep=False)
    except TypeError as error:
        raise ValueError(f"{name} needs another estimator inside it, which a spec cannot give") from error
    for param in params.keys() - known.keys():
        raise ValueError(f"{name} has no parameter {param!r}: it has {', '.join(sorted(known))}")
    seeded = {"random_state": SEED, **params} if "random_state" in known else dict(params)
    return kind(**seeded)


def check_candidate(name: str, params: Mapping[str, Any], problem: Problem, metric: Metric) -> Any:
    """Make an estimator, and refuse one that does not fit the problem or cannot be measured by the metric.

    Raises:
        ValueError: with what to write instead.
    """
    from sklearn.base import is_classifier, is_regressor  # noqa: PLC0415 - a spec without mistakes is read without it

    estimator = make_estimator(name, params)
    fits = is_regressor(estimator) if problem == "regression" else is_classifier(estimator)
    if not fits:
        raise ValueError(f"{name} is not for {problem}")
    if metric.needs_probabilities and not hasattr(estimator, "predict_proba"):
        raise ValueError(f"{name} gives no probabilities: set gates.champion.metric to zero_one_loss")
    return estimator


def build_pipeline(estimator: Any, columns: Sequence[Column]) -> Any:
    """Put the preparation before an estimator: a scikit-learn Pipeline, not fitted.

    What the estimator takes natively it gets as it is: missing numbers where its tags allow NaN, categories as
    codes where it has a `categorical_features` parameter. Everything else is imputed, scaled and one-hot encoded.
    """
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415 - keeps the start of a command short
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    native = "categorical_features" in estimator.get_params(deep=False)
    gaps = bool(estimator.__sklearn_tags__().input_tags.allow_nan)
    names: dict[Kind, list[str]] = {}
    for column in columns:
        names.setdefault(column.kind, []).append(column.name)
    # Categories come first, so that their positions are known.
    order: list[Kind] = ["categorical", "numeric", "boolean", "date"]
    steps = [(kind, _preparation(kind, native=native, gaps=gaps), names[kind]) for kind in order if kind in names]
    if native and "categorical" in names:
        estimator.set_params(categorical_features=list(range(len(names["categorical"]))))
    return Pipeline([("prepare", ColumnTransformer(steps)), ("estimate", estimator)])


def _preparation(kind: Kind, *, native: bool, gaps: bool) -> Any:
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - keeps the start of a command short
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler  # noqa: PLC0415

    from tasks.core.dates import DateParts  # noqa: PLC0415

    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=float("nan"), encoded_missing_value=float("nan"),
        max_categories=MAX_CATEGORIES,
    )  # fmt: skip
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES, sparse_output=False)
    numbers: tuple[Any, ...] = (
        () if gaps else (SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    )
    table: dict[Kind, Any] = {
        "categorical": codes if native else one_hot,
        "numeric": make_pipeline(*numbers) if numbers else "passthrough",
        "boolean": make_pipeline(*numbers) if numbers else "passthrough",
        "date": make_pipeline(DateParts(), *numbers),
    }
    return table[kind]

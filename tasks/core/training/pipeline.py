"""The pipeline: the preparation that each kind of column needs, before an estimator."""

from collections.abc import Sequence
from typing import Any

from tasks.core.tables.columns import Column, ColumnKind
from tasks.core.training.column_params import names_columns, params_by_position

MAX_CATEGORIES = 250  # HistGradientBoosting takes at most 255; rarer ones share one code
# Categories come first, so that their positions are known.
ORDER: tuple[ColumnKind, ...] = ("categorical", "numeric", "boolean", "date")


def build_pipeline(estimator: Any, columns: Sequence[Column]) -> Any:
    """Return a scikit-learn Pipeline, not fitted: a preparation of the columns, then the estimator.

    What the estimator takes natively it gets as it is: missing numbers where its tags allow NaN,
    categories as codes where it has a `categorical_features` parameter, which is set. Everything
    else is imputed, scaled and one-hot encoded.
    """
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415 - a command starts sooner
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - the same

    native = "categorical_features" in estimator.get_params(deep=False)
    gaps = bool(estimator.__sklearn_tags__().input_tags.allow_nan)
    if names_columns(estimator) and not native:
        gaps = False  # single trees and forests take no NaN under constraints

    steps = []
    for kind in ORDER:
        names = [column.name for column in columns if column.kind == kind]
        if not names:
            continue
        steps.append((kind, _preparation(kind, native=native, gaps=gaps), names))
        if native and kind == "categorical":
            estimator.set_params(categorical_features=list(range(len(names))))

    return Pipeline([("prepare", ColumnTransformer(steps)), ("estimate", estimator)])


def fit_pipeline(pipeline: Any, X: Any, y: Any) -> Any:
    """Fit a pipeline of `build_pipeline`, and return it.

    Columns that its estimator's parameters name are found among those that the preparation makes,
    once that is fitted.
    """
    estimator = pipeline["estimate"]
    if not names_columns(estimator):
        return pipeline.fit(X, y)

    preparation = pipeline["prepare"]
    prepared = preparation.fit_transform(X, y)
    width = prepared.shape[1]
    estimator.set_params(**params_by_position(estimator, _places(preparation), width))
    estimator.fit(prepared, y)
    return pipeline


def _places(preparation: Any) -> dict[str, range]:
    """Return the positions of each column in what a fitted preparation makes.

    Categories that are one-hot encoded are left out: their columns differ in number.
    """
    places: dict[str, range] = {}
    for kind, transformer, names in preparation.transformers_:
        if kind not in ORDER or hasattr(transformer, "drop_idx_"):
            continue

        made = preparation.output_indices_[kind]
        each = (made.stop - made.start) // len(names)
        for number, name in enumerate(names):
            first = made.start + number * each
            places[name] = range(first, first + each)
    return places


def _preparation(kind: ColumnKind, *, native: bool, gaps: bool) -> Any:
    """Return the transformer of a kind of column.

    `native` says whether the estimator takes codes of categories, `gaps` whether it takes NaN.
    """
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - a command starts sooner

    from tasks.core.dates import DateParts  # noqa: PLC0415 - the same

    if kind == "categorical":
        return _codes() if native else _one_hot()
    numbers = [] if gaps else _fill_and_scale()
    if kind == "date":
        return make_pipeline(DateParts(), *numbers)
    return make_pipeline(*numbers) if numbers else "passthrough"


def _codes() -> Any:
    """Return an encoder of categories as numbers; missing and unknown ones are NaN."""
    from sklearn.preprocessing import OrdinalEncoder  # noqa: PLC0415 - a command starts sooner

    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=float("nan"),
        encoded_missing_value=float("nan"),
        max_categories=MAX_CATEGORIES,
    )


def _one_hot() -> Any:
    """Return an encoder of categories as one column each; unknown ones count as the rare ones."""
    from sklearn.preprocessing import OneHotEncoder  # noqa: PLC0415 - a command starts sooner

    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES, sparse_output=False
    )


def _fill_and_scale() -> list[Any]:
    """Return the steps that replace missing numbers by the median and scale all of them."""
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - a command starts sooner
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415 - the same

    return [SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()]

"""The pipeline: the preparation that each kind of column needs, before an estimator."""

from collections.abc import Sequence
from typing import Any

from tasks.core.tables.columns import Column, ColumnKind

MAX_CATEGORIES = 250  # HistGradientBoosting takes at most 255; rarer ones share one code


def build_pipeline(estimator: Any, columns: Sequence[Column]) -> Any:
    """Put the preparation before an estimator: a scikit-learn Pipeline, not fitted.

    What the estimator takes natively it gets as it is: missing numbers where its tags allow NaN,
    categories as codes where it has a `categorical_features` parameter. Everything else is imputed,
    scaled and one-hot encoded.
    """
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415 - keeps the start of a command short
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    native = "categorical_features" in estimator.get_params(deep=False)
    gaps = bool(estimator.__sklearn_tags__().input_tags.allow_nan)
    names: dict[ColumnKind, list[str]] = {}
    for column in columns:
        names.setdefault(column.kind, []).append(column.name)
    # Categories come first, so that their positions are known.
    order: list[ColumnKind] = ["categorical", "numeric", "boolean", "date"]
    steps = [
        (kind, _preparation(kind, native=native, gaps=gaps), names[kind])
        for kind in order
        if kind in names
    ]
    if native and "categorical" in names:
        estimator.set_params(categorical_features=list(range(len(names["categorical"]))))
    return Pipeline([("prepare", ColumnTransformer(steps)), ("estimate", estimator)])


def _preparation(kind: ColumnKind, *, native: bool, gaps: bool) -> Any:
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - keeps the start of a command short
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler  # noqa: PLC0415

    from tasks.core.dates import DateParts  # noqa: PLC0415

    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=float("nan"),
        encoded_missing_value=float("nan"),
        max_categories=MAX_CATEGORIES,
    )
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES, sparse_output=False
    )
    numbers: tuple[Any, ...] = (
        ()
        if gaps
        else (SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    )
    table: dict[ColumnKind, Any] = {
        "categorical": codes if native else one_hot,
        "numeric": make_pipeline(*numbers) if numbers else "passthrough",
        "boolean": make_pipeline(*numbers) if numbers else "passthrough",
        "date": make_pipeline(DateParts(), *numbers),
    }
    return table[kind]

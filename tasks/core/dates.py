"""Dates as numbers a model can use."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

PARTS = ("day", "day_of_year", "weekday", "hour")


class DateParts(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn each datetime column into four numbers: days since 1970, day of the year, weekday
    (Monday is 0), hour.

    >>> frame = pd.DataFrame({"at": pd.to_datetime(["1970-01-02 12:00", None])})
    >>> DateParts().fit_transform(frame)
    array([[ 1.5,  2. ,  4. , 12. ],
           [ nan,  nan,  nan,  nan]])
    """

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:  # noqa: ARG002 - the signature is scikit-learn's
        """Remember the names of the columns."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = len(X.columns)
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Give an array of shape (n, 4 * columns); a missing date is NaN throughout."""
        return np.column_stack([_parts(X[name]) for name in X.columns])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002 - as above
        """Name the columns `<date>_<part>`."""
        return np.asarray(
            [f"{name}_{part}" for name in self.feature_names_in_ for part in PARTS], dtype=object
        )


def _parts(dates: "pd.Series[Any]") -> NDArray[np.float64]:
    days = (dates - pd.Timestamp(0)) / pd.Timedelta(days=1)
    parts = dates.dt
    hours = parts.hour + parts.minute / 60
    return np.column_stack(
        [
            np.asarray(part, dtype=np.float64)
            for part in (days, parts.day_of_year, parts.day_of_week, hours)
        ]
    )

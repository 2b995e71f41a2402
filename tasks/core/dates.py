"""Dates as numbers a model can use."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

PARTS = ("day", "day_of_year", "weekday", "hour")
Names = NDArray[np.object_]


class DateParts(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # it has no types
    """Turn each datetime column into four numbers.

    They are the days since 1970, the day of the year, the weekday (Monday is 0), and the hour.

    >>> frame = pd.DataFrame({"at": pd.to_datetime(["1970-01-02 12:00", None])})
    >>> DateParts().fit_transform(frame)
    array([[ 1.5,  2. ,  4. , 12. ],
           [ nan,  nan,  nan,  nan]])
    """

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's own
        """Remember the names of the columns."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = len(X.columns)
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return an array of shape (n, 4 * columns); a missing date is NaN throughout."""
        parts = [_parts(X[name]) for name in X.columns]
        return np.column_stack(parts)

    def get_feature_names_out(self, input_features: Any = None) -> Names:  # noqa: ARG002 - as above
        """Name the columns `<date>_<part>`."""
        names = [f"{date}_{part}" for date in self.feature_names_in_ for part in PARTS]
        return np.asarray(names, dtype=object)


def _parts(dates: "pd.Series[Any]") -> NDArray[np.float64]:
    """Return the four numbers of each date, shape (n, 4)."""
    since_1970 = dates - pd.Timestamp(0)
    days = since_1970 / pd.Timedelta(days=1)
    clock = dates.dt
    hours = clock.hour + clock.minute / 60

    columns = [days, clock.day_of_year, clock.day_of_week, hours]
    numbers = [np.asarray(column, dtype=np.float64) for column in columns]
    return np.column_stack(numbers)

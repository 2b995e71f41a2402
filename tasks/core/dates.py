"""Dates as numbers a model can use."""

from functools import cache
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

PARTS = ("day", "day_of_year", "weekday", "hour")
MINUTE = 60 * 10**6  # microseconds
DAY = 24 * 60 * MINUTE
THURSDAY = 3  # the weekday of 1970-01-01
CYCLE = 146_097  # days in 400 years
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
    """Return the four numbers of each date, shape (n, 4), in any year.

    pandas itself would go through nanoseconds, which end in 2262.
    """
    times = dates.to_numpy(dtype="datetime64[us]")
    microseconds = times.view(np.int64)
    days = microseconds // DAY
    minutes = (microseconds - days * DAY) // MINUTE
    hours = minutes // 60
    day_of_year, weekday = _calendar()
    in_cycle = days - days // CYCLE * CYCLE

    numbers = np.empty((len(times), len(PARTS)))
    numbers[:, 0] = microseconds / DAY
    numbers[:, 1] = day_of_year[in_cycle]
    numbers[:, 2] = weekday[in_cycle]
    numbers[:, 3] = hours + (minutes - hours * 60) / 60
    numbers[np.isnat(times)] = np.nan
    return numbers


@cache
def _calendar() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the day of the year and the weekday of each day since 1970, for 400 years.

    Then the Gregorian calendar begins anew, with the same weekdays.
    """
    days = np.arange(CYCLE)
    years = days.astype("datetime64[D]").astype("datetime64[Y]")
    new_years = years.astype("datetime64[D]").astype(np.int64)
    day_of_year = days - new_years + 1
    weekday = (days + THURSDAY) % 7
    return day_of_year.astype(np.float64), weekday.astype(np.float64)

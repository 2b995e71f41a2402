"""Dates become numbers: the days, the day of the year, the weekday and the hour."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from tasks.core.dates import DateParts

UNIX_DAY = 719163  # the ordinal of 1970-01-01


@pytest.mark.parametrize(
    ("date", "parts"),
    [
        ("1970-01-01", [0.0, 1.0, 3.0, 0.0]),
        ("1969-12-31 12:00", [-0.5, 365.0, 2.0, 12.0]),
        ("2024-02-29 23:30", [19782 + 23.5 / 24, 60.0, 3.0, 23.5]),
        ("0001-01-01", [-719162.0, 1.0, 0.0, 0.0]),
        ("1000-03-01 06:30", [-354226 + 6.5 / 24, 60.0, 5.0, 6.5]),
        ("9999-12-31 23:59:59", [2932896 + 86399 / 86400, 365.0, 4.0, 23 + 59 / 60]),
        ("-0043-03-15", [-735160.0, 74.0, 4.0, 0.0]),
        (None, [np.nan] * 4),
    ],
)
def test_a_date_becomes_days_day_of_the_year_weekday_and_hour(date, parts):
    at = np.array([date], dtype="datetime64[us]")
    frame = pd.DataFrame({"at": pd.Series(at, dtype=at.dtype)})
    np.testing.assert_allclose(DateParts().fit_transform(frame), [parts], rtol=1e-12)


def test_every_century_of_the_calendar_has_the_parts_that_python_says():
    years = [*range(1, 9999, 97), 9999]
    dates = [datetime(year, 1 + year % 12, 28, year % 24, 30) for year in years]  # noqa: DTZ001
    frame = pd.DataFrame({"at": np.array(dates, dtype="datetime64[us]")})

    expected = [
        [
            date.toordinal() - UNIX_DAY + (date.hour + 0.5) / 24,
            date.timetuple().tm_yday,
            date.weekday(),
            date.hour + 0.5,
        ]
        for date in dates
    ]
    np.testing.assert_allclose(DateParts().fit_transform(frame), expected, rtol=1e-12)


def test_the_parts_of_several_columns_stand_side_by_side_under_their_names():
    one, other = pd.to_datetime(["1970-01-02"]), pd.to_datetime(["1970-01-03"])
    frame = pd.DataFrame({"a": one, "b": other})
    parts = DateParts().fit(frame)

    names = parts.get_feature_names_out().tolist()
    assert names[:4] == ["a_day", "a_day_of_year", "a_weekday", "a_hour"]
    assert names[4:] == ["b_day", "b_day_of_year", "b_weekday", "b_hour"]
    assert parts.transform(frame)[0, [0, 4]].tolist() == [1.0, 2.0]

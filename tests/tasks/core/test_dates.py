"""Dates become numbers: the days, the day of the year, the weekday and the hour."""

import numpy as np
import pandas as pd
import pytest

from tasks.core.dates import DateParts


@pytest.mark.parametrize(
    ("date", "parts"),
    [
        ("1970-01-01", [0.0, 1.0, 3.0, 0.0]),
        ("1969-12-31 12:00", [-0.5, 365.0, 2.0, 12.0]),
        ("2024-02-29 23:30", [19782 + 23.5 / 24, 60.0, 3.0, 23.5]),
        (None, [np.nan] * 4),
    ],
)
def test_a_date_becomes_days_day_of_the_year_weekday_and_hour(date, parts):
    frame = pd.DataFrame({"at": pd.Series([date], dtype="datetime64[us]")})
    np.testing.assert_allclose(DateParts().fit_transform(frame), [parts], rtol=1e-12)


def test_the_parts_of_several_columns_stand_side_by_side_under_their_names():
    one, other = pd.to_datetime(["1970-01-02"]), pd.to_datetime(["1970-01-03"])
    frame = pd.DataFrame({"a": one, "b": other})
    parts = DateParts().fit(frame)

    names = parts.get_feature_names_out().tolist()
    assert names[:4] == ["a_day", "a_day_of_year", "a_weekday", "a_hour"]
    assert names[4:] == ["b_day", "b_day_of_year", "b_weekday", "b_hour"]
    assert parts.transform(frame)[0, [0, 4]].tolist() == [1.0, 2.0]

"""Dates of every unit and zone become microseconds, and none becomes another date."""

from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.timestamps import beyond_range, check_dates, to_microseconds

FAR = [datetime(1, 1, 1), datetime(1000, 1, 1), datetime(9999, 12, 31), None]  # noqa: DTZ001
UNITS = [pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us")]
ZONED = [pa.timestamp(unit, "Asia/Kathmandu") for unit in ("s", "ms", "us")]
DAYS = [pa.date32(), pa.date64()]


def chunked(values, type_):
    return pa.chunked_array([pa.array(values, pa.int64()).cast(type_)])


@pytest.mark.parametrize("type_", [*UNITS, *ZONED, *DAYS], ids=str)
def test_far_dates_are_ordinary_dates_in_every_unit(type_):
    dates = FAR
    if type_ in DAYS:
        dates = [found and found.date() for found in FAR]
    if getattr(type_, "tz", None):
        counts = pa.array(FAR, pa.timestamp("us")).cast(pa.timestamp(type_.unit)).cast(pa.int64())
        column = pa.chunked_array([counts.cast(type_)])
    else:
        column = pa.chunked_array([pa.array(dates, type_)])

    found = to_microseconds(column)
    assert found.type == pa.timestamp("us")
    assert found.to_pylist() == FAR
    assert check_dates(column, "at") is None


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_the_ends_of_nanoseconds_stay_where_they_are(zone):
    ends = [-(2**63) + 1, 1999, 2**63 - 1]
    column = chunked(ends, pa.timestamp("ns", zone))

    found = to_microseconds(column).cast(pa.int64()).to_pylist()
    assert found == [-9223372036854775, 1, 9223372036854775]


FARTHEST = {
    pa.timestamp("s"): (2**63 - 1) // 10**6,
    pa.timestamp("s", "UTC"): (2**63 - 1) // 10**6,
    pa.timestamp("ms"): (2**63 - 1) // 10**3,
    pa.timestamp("ms", "Asia/Tokyo"): (2**63 - 1) // 10**3,
    pa.date32(): (2**63 - 1) // (86400 * 10**6),
}


def counted(count, type_):
    integers = pa.array([0, count], pa.int64())
    if type_ == pa.date32():
        integers = integers.cast(pa.int32())
    return pa.chunked_array([integers.cast(type_)])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("type_", FARTHEST, ids=str)
def test_the_farthest_date_is_kept_and_the_next_is_refused_by_column_row_and_value(type_, sign):
    farthest = FARTHEST[type_]
    kept = counted(sign * farthest, type_)
    assert check_dates(kept, "at") is None
    size = {"s": 10**6, "ms": 10**3}.get(getattr(type_, "unit", ""), 86400 * 10**6)
    assert to_microseconds(kept).cast(pa.int64()).to_pylist() == [0, sign * farthest * size]

    beyond = counted(sign * (farthest + 1), type_)
    assert beyond_range(beyond).to_pylist() == [False, True]
    with pytest.raises(pa.ArrowInvalid):
        to_microseconds(beyond)
    words = rf"^Column 'at', row 1 \(from 0\): {sign * (farthest + 1)} \w+ since 1970"
    with pytest.raises(RequestError, match=words):
        check_dates(beyond, "at")


@pytest.mark.parametrize("type_", [pa.timestamp("us"), pa.timestamp("ns"), pa.int64(), pa.null()])
def test_where_no_date_can_be_too_far_away_none_is_looked_at(type_):
    assert beyond_range(pa.chunked_array([pa.nulls(2, type_)])) is None


def test_a_missing_date_is_not_beyond_anything():
    column = pa.chunked_array([pa.array([None, date(2024, 1, 1)])])
    found = beyond_range(column)
    assert found.to_pylist() == [False, False]
    assert not pc.any(found).as_py()

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.errors import RequestError
from tasks.core.windows.window import (
    length_name,
    parse_length,
    parse_timestamp,
    previous_window,
    timestamp_name,
    window_name,
    windows_between,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LENGTH_NAMES = ["1m", "7m", "15m", "1h", "5h", "12h", "1d", "3d", "1w", "2w", "366d"]
LENGTHS = st.sampled_from(LENGTH_NAMES).map(parse_length)
TIMESTAMPS = st.datetimes(
    datetime.fromisoformat("1900-01-01"),
    datetime.fromisoformat("2999-01-01"),
    timezones=st.just(UTC),
)


def utc(text):
    timestamp = datetime.fromisoformat(text)
    return timestamp.replace(tzinfo=UTC)


def between(start, end, length):
    """Return the windows between two timestamps, all given as strings."""
    size = parse_length(length)
    return windows_between(utc(start), utc(end), size)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1m", timedelta(minutes=1)),
        ("15m", timedelta(minutes=15)),
        ("1h", HOUR),
        ("12h", timedelta(hours=12)),
        ("1d", DAY),
        ("1w", timedelta(days=7)),
        ("366d", timedelta(days=366)),
    ],
)
def test_a_length_is_a_number_and_a_unit_and_is_written_as_it_was_read(text, length):
    assert parse_length(text) == length
    assert length_name(length) == text


NO_NUMBER = ["", "d", "1", "0d", "01d", "-1d", "1.5h", "٣d"]
NO_UNIT = ["1 d", "1D", "1M", "1mo", "1 month", "1y", "1s", "1d ", "1d\n"]
TOO_LONG = ["367d", "53w", "999999h", "9999999m"]


@pytest.mark.parametrize("text", [*NO_NUMBER, *NO_UNIT, *TOO_LONG])
def test_what_is_no_length_is_refused_with_what_a_length_is(text):
    words = r"no length of a window: write .* m \(minutes\).*months are not supported"
    with pytest.raises(ValueError, match=words) as refused:
        parse_length(text)

    assert str(refused.value).startswith(repr(text))


@pytest.mark.parametrize(
    ("text", "timestamp"),
    [
        ("2026-01-31", "2026-01-31T00:00"),
        ("2024-02-29", "2024-02-29T00:00"),
        ("2026-01-31T06:00", "2026-01-31T06:00"),
        ("2026-01-31 06:00", "2026-01-31T06:00"),
        ("2026-01-31T06:00Z", "2026-01-31T06:00"),
        ("2026-01-31T06:00:07.25+00:00", "2026-01-31T06:00:07.250"),
        ("2026-01-31T00:00-0800", "2026-01-31T08:00"),
        # Kathmandu is 5 h 45 min ahead, and was 5 h 30 min until 1986.
        ("2026-01-31T05:45+05:45", "2026-01-31T00:00"),
        ("2026-01-31T00:00+05:45", "2026-01-30T18:15"),
        ("1985-12-31T05:30+05:30", "1985-12-31T00:00"),
        # Berlin: 02:00 to 03:00 is skipped in March, and comes twice in October.
        ("2026-03-29T01:59+01:00", "2026-03-29T00:59"),
        ("2026-03-29T03:00+02:00", "2026-03-29T01:00"),
        ("2026-10-25T02:30+02:00", "2026-10-25T00:30"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30"),
        ("2026-03-29T02:30", "2026-03-29T02:30"),
    ],
)
def test_a_timestamp_is_utc_unless_it_says_otherwise(text, timestamp):
    found = parse_timestamp(text, "--from")

    assert found == utc(timestamp)
    assert found.tzinfo is UTC


NO_DATE = ["", "now", "yesterday", "1769842800", "2026", "2026-01", "31.01.2026", "20260131"]
NO_SUCH_DATE = ["2026-1-31", "2026-02-29", "2026-13-01", "1899-12-31", "3000-01-01", "2026-01-31\n"]
NO_TIME = ["2026-01-31T24:30", "2026-01-31T6:00", "2026-01-31T06", "2026-01-31-06:00"]
NO_OFFSET = ["2026-01-31+05:45", "2026-01-31T06:00 CET", "2026-01-31T06:00+25:00"]


@pytest.mark.parametrize("text", [*NO_DATE, *NO_SUCH_DATE, *NO_TIME, *NO_OFFSET])
def test_what_is_no_timestamp_is_refused_with_the_option_named(text):
    words = r"write a date such as 2026-01-31 or a time .* offset such as \+05:45"
    with pytest.raises(RequestError, match=words) as refused:
        parse_timestamp(text, "--to")

    assert str(refused.value).startswith(f"--to is {text!r}: ")


@pytest.mark.parametrize(
    ("start", "end", "length", "names"),
    [
        ("2026-01-31", "2026-02-01", "1d", ["2026-01-31T00:00Z/2026-02-01T00:00Z"]),
        (
            "2024-02-28",
            "2024-03-01",
            "1d",
            ["2024-02-28T00:00Z/2024-02-29T00:00Z", "2024-02-29T00:00Z/2024-03-01T00:00Z"],
        ),
        ("2026-01-31T23:45", "2026-02-01", "15m", ["2026-01-31T23:45Z/2026-02-01T00:00Z"]),
        ("2026-01-31T12:00", "2026-02-01", "12h", ["2026-01-31T12:00Z/2026-02-01T00:00Z"]),
        ("2026-01-05", "2026-01-12", "1w", ["2026-01-05T00:00Z/2026-01-12T00:00Z"]),
        ("2026-01-05", "2026-01-12", "7d", ["2026-01-05T00:00Z/2026-01-12T00:00Z"]),
        ("1969-12-31", "1970-01-01", "1d", ["1969-12-31T00:00Z/1970-01-01T00:00Z"]),
    ],
)
def test_windows_lie_side_by_side_from_the_first_time_up_to_the_second(start, end, length, names):
    windows = between(start, end, length)

    assert [window_name(window) for window in windows] == names


@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25"])
def test_a_day_has_24_hours_on_the_nights_when_clocks_change(night):
    berlin = ZoneInfo("Europe/Berlin")
    start = utc(night)
    end = start + DAY
    windows = windows_between(start.astimezone(berlin), end.astimezone(berlin), HOUR)

    assert len(windows) == 24
    for number, window in enumerate(windows):
        local_end = window.end.astimezone(berlin)
        assert window.start == start + number * HOUR
        assert window.start.tzinfo is UTC
        assert previous_window(local_end, HOUR) == window


NOT_WHOLE = [
    (
        "2026-01-31 2026-01-31 1d",
        "--from 2026-01-31T00:00Z is not before --to .* earliest 2026-02-01T00:00Z",
    ),
    (
        "2026-02-02 2026-01-31 1d",
        "--from 2026-02-02T00:00Z is not before --to 2026-01-31T00:00Z",
    ),
    (
        "2026-01-31T06:00 2026-02-02 1d",
        "--from 2026-01-31T06:00Z .* of 1d starts: use 2026-01-31T00:00Z or 2026-02-01T00:00Z",
    ),
    (
        "2026-01-31 2026-02-02T00:20 15m",
        "--to 2026-02-02T00:20Z .*: use 2026-02-02T00:15Z or 2026-02-02T00:30Z",
    ),
    (
        "2026-01-31T00:00:01 2026-02-02 1h",
        "--from 2026-01-31T00:00:01Z is not where a window of 1h starts",
    ),
    (
        "2026-01-31 2026-02-09 1w",
        "window of 1w starts: use 2026-01-26T00:00Z or 2026-02-02T00:00Z",
    ),
    (
        "2026-01-01 2026-01-07T22:41 1m",
        "10,001 windows of 1m, and one backfill .* at most 10,000: .* --to 2026-01-07T22:40Z",
    ),
]


@pytest.mark.parametrize(("stretch", "words"), NOT_WHOLE)
def test_a_backfill_of_no_whole_windows_is_refused_with_the_times_beside(stretch, words):
    start, end, length = stretch.split()
    with pytest.raises(RequestError, match=words):
        between(start, end, length)


def test_ten_thousand_windows_are_not_too_many():
    windows = between("2026-01-01", "2026-01-07T22:40", "1m")

    assert len(windows) == 10_000


@given(TIMESTAMPS, LENGTHS, st.integers(1, 40))
def test_windows_cover_their_stretch_once(timestamp, length, count):
    start = previous_window(timestamp, length).start
    end = start + count * length
    windows = windows_between(start, end, length)

    edge = start
    for window in windows:
        assert window.start == edge
        edge = window.start + length
        assert window.end == edge

    assert edge == end
    assert len(windows) == count


@given(TIMESTAMPS, LENGTHS)
def test_the_previous_window_is_over_and_the_next_is_not(timestamp, length):
    window = previous_window(timestamp, length)
    next_end = window.end + length

    assert window.end <= timestamp < next_end
    assert windows_between(window.start, window.end, length) == (window,)


@pytest.mark.parametrize(
    ("timestamp", "length", "name"),
    [
        ("2026-02-01T00:00", "1d", "2026-01-31T00:00Z/2026-02-01T00:00Z"),
        ("2026-01-31T23:59:59.999999", "1d", "2026-01-30T00:00Z/2026-01-31T00:00Z"),
        ("2026-01-05T00:00", "1w", "2025-12-29T00:00Z/2026-01-05T00:00Z"),
        ("2026-01-04T23:59", "1w", "2025-12-22T00:00Z/2025-12-29T00:00Z"),
    ],
)
def test_a_window_that_ends_at_the_timestamp_is_over(timestamp, length, name):
    window = previous_window(utc(timestamp), parse_length(length))

    assert window_name(window) == name


@given(TIMESTAMPS)
def test_the_name_of_a_timestamp_reads_back(timestamp):
    name = timestamp_name(timestamp)

    assert parse_timestamp(name, "--from") == timestamp

"""Windows: the stretches of time that runs are about, and the names they give to their files.

Everything here is UTC: a day has 24 hours on the nights when clocks change, too.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tasks.core.errors import RequestError

UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
LONGEST = timedelta(days=366)
MOST_WINDOWS = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
TIMESTAMP = re.compile(
    r"(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


@dataclass(frozen=True)
class Window:
    """The time from `start` up to, and without, `end`; both UTC."""

    start: datetime
    end: datetime


def parse_length(text: str) -> timedelta:
    """Parse the length of a window.

    >>> parse_length("12h")
    datetime.timedelta(seconds=43200)

    Raises:
        ValueError: it is no such length.
    """
    found = re.fullmatch("([1-9][0-9]{0,5})([mhdw])", text)
    length = int(found[1]) * UNITS[found[2]] if found else None
    if length is None or length > LONGEST:
        raise ValueError(
            f"{text!r} is no length of a window: write a whole number and one of m (minutes), "
            "h (hours), d (days) and w (weeks), such as 1d or 15m, up to 366d; months are not "
            "supported, as they differ in length"
        )
    return length


def length_name(length: timedelta) -> str:
    """Write a length as a spec does, in the largest unit.

    >>> length_name(timedelta(hours=36)), length_name(timedelta(days=7))
    ('36h', '1w')

    Raises:
        ValueError: it is not a whole number of minutes, as every length of a window is.
    """
    for unit in ("w", "d", "h", "m"):
        count, rest = divmod(length, UNITS[unit])
        if not rest:
            return f"{count}{unit}"

    raise ValueError(f"{length} is not a whole number of minutes")


def parse_timestamp(text: str, option: str) -> datetime:
    """Parse a timestamp; without an offset it is UTC.

    >>> parse_timestamp("2026-01-31T05:45+05:45", "--from")
    datetime.datetime(2026, 1, 31, 0, 0, tzinfo=datetime.timezone.utc)

    Raises:
        RequestError: it is no timestamp; `option` is named as where it came from.
    """
    timestamp = _read_timestamp(text)
    if timestamp is None:
        raise RequestError(
            f"{option} is {text!r}: write a date such as 2026-01-31 or a time such as "
            "2026-01-31T06:00, from 1900 to 2999, which is UTC unless it ends in an offset such as "
            "+05:45."
        )

    if timestamp.tzinfo is None:
        return timestamp.replace(tzinfo=UTC)
    return timestamp.astimezone(UTC)


def _read_timestamp(text: str) -> datetime | None:
    # `fromisoformat` alone takes any letter before the time: 2026-01-31-06:00 would be 06:00.
    if not TIMESTAMP.fullmatch(text):
        return None

    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def timestamp_name(timestamp: datetime) -> str:
    """Write a timestamp, with seconds only where they are not zero.

    >>> timestamp_name(datetime(2026, 1, 31, 6, tzinfo=UTC))
    '2026-01-31T06:00Z'
    """
    is_whole_minute = timestamp.second == timestamp.microsecond == 0
    precision = "minutes" if is_whole_minute else "auto"
    in_utc = timestamp.astimezone(UTC).replace(tzinfo=None)
    return f"{in_utc.isoformat(timespec=precision)}Z"


def window_name(window: Window) -> str:
    """Write a window as an ISO 8601 interval.

    >>> window_name(previous_window(datetime(2026, 2, 1, tzinfo=UTC), timedelta(days=1)))
    '2026-01-31T00:00Z/2026-02-01T00:00Z'
    """
    return f"{timestamp_name(window.start)}/{timestamp_name(window.end)}"


def windows_between(start: datetime, end: datetime, length: timedelta) -> tuple[Window, ...]:
    """List the windows from `start` up to `end`, both of which must be where a window starts.

    Windows are counted from 1970-01-01T00:00Z; those of whole weeks start on Mondays.

    >>> hours = windows_between(EPOCH, EPOCH + timedelta(hours=2), timedelta(hours=1))
    >>> [window_name(window) for window in hours]
    ['1970-01-01T00:00Z/1970-01-01T01:00Z', '1970-01-01T01:00Z/1970-01-01T02:00Z']

    Raises:
        RequestError: there are none or too many, or one of them would be cut off.
    """
    # Subtracting datetimes of one zone ignores DST, so convert to UTC first.
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    _check_order(start, end, length)
    _check_start("--from", start, length)
    _check_start("--to", end, length)
    _check_count(start, end, length)

    count = (end - start) // length
    edges = [start + number * length for number in range(count + 1)]
    return tuple(Window(low, high) for low, high in pairwise(edges))


def _check_order(start: datetime, end: datetime, length: timedelta) -> None:
    if start >= end:
        earliest = latest_start(start, length) + length
        raise RequestError(
            f"--from {timestamp_name(start)} is not before --to {timestamp_name(end)}: --to is "
            f"where the last window ends, at the earliest {timestamp_name(earliest)}."
        )


def _check_start(option: str, timestamp: datetime, length: timedelta) -> None:
    start = latest_start(timestamp, length)
    if start != timestamp:
        next_start = start + length
        raise RequestError(
            f"{option} {timestamp_name(timestamp)} is not where a window of {length_name(length)} "
            f"starts: use {timestamp_name(start)} or {timestamp_name(next_start)}."
        )


def _check_count(start: datetime, end: datetime, length: timedelta) -> None:
    count = (end - start) // length
    if count > MOST_WINDOWS:
        first_end = start + MOST_WINDOWS * length
        raise RequestError(
            f"From {timestamp_name(start)} to {timestamp_name(end)} there are {count:,} windows of "
            f"{length_name(length)}, and one backfill takes at most {MOST_WINDOWS:,}: end the "
            f"first with --to {timestamp_name(first_end)}."
        )


def previous_window(timestamp: datetime, length: timedelta) -> Window:
    """Return the newest window that is over at a timestamp: what a scheduled run is about.

    >>> window_name(previous_window(datetime(2026, 1, 31, 6, 5, tzinfo=UTC), timedelta(hours=1)))
    '2026-01-31T05:00Z/2026-01-31T06:00Z'
    """
    end = latest_start(timestamp, length)
    return Window(end - length, end)


def latest_start(timestamp: datetime, length: timedelta) -> datetime:
    """Return the last start of a window at or before a timestamp."""
    is_whole_weeks = not length % UNITS["w"]
    origin = FIRST_MONDAY if is_whole_weeks else EPOCH
    windows_before = (timestamp - origin) // length
    return origin + windows_before * length

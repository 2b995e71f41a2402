"""Timestamps: dates of every unit and zone as microseconds; none wraps round."""

import pyarrow as pa
import pyarrow.compute as pc

from tasks.core.errors import RequestError

MICROSECONDS = pa.timestamp("us")
LARGEST = 2**63 - 1
# Unit -> its microseconds, of the units that reach farther than microseconds do.
COARSE = {"s": 10**6, "ms": 10**3, "day": 24 * 60 * 60 * 10**6}


def to_microseconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cast dates of any unit to microseconds; with a zone, they become UTC.

    What is finer than a microsecond is cut off.

    >>> seconds = pa.array([253402214400], pa.timestamp("s", "Asia/Kathmandu"))
    >>> to_microseconds(pa.chunked_array([seconds])).to_pylist()
    [datetime.datetime(9999, 12, 31, 0, 0)]

    Raises:
        ArrowInvalid: a date is farther away than microseconds reach.
    """
    if _zone_of(column.type):
        # Those with a zone count in UTC already: no database of zones is asked.
        column = column.cast(pa.int64()).cast(pa.timestamp(column.type.unit))
    return column.cast(options=pc.CastOptions(MICROSECONDS, allow_time_truncate=True))


def beyond_range(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return which dates are farther away than microseconds reach; None where none can be."""
    unit = _unit_of(column.type)
    if unit not in COARSE:
        return None

    farthest = LARGEST // COARSE[unit]
    counts = _counts(column)
    is_beyond = pc.or_(pc.less(counts, -farthest), pc.greater(counts, farthest))
    return pc.fill_null(is_beyond, fill_value=False)


def describe_date(column: pa.ChunkedArray, row: int) -> str:
    """Return a date as a message shows it, however far away it is."""
    count = _counts(column)[row].as_py()
    unit = _unit_of(column.type)
    return f"{count} {unit} since 1970 is farther away than the 292,000 years that dates reach"


def check_dates(column: pa.ChunkedArray, name: str) -> None:
    """Refuse a column with a date that is farther away than microseconds reach.

    Raises:
        RequestError: with the column, the row and the date.
    """
    is_beyond = beyond_range(column)
    if is_beyond is None or not pc.any(is_beyond, min_count=0).as_py():
        return

    row = pc.index(is_beyond, value=True).as_py()
    raise RequestError(
        f"Column {name!r}, row {row:,} (from 0): {describe_date(column, row)}: correct it, leave "
        "the row out, or add the column to `data.drop`."
    )


def same_zone(types: set[pa.DataType]) -> bool:
    """Return whether dates of these types all count in one zone, or all without one."""
    return len({_zone_of(type_) for type_ in types}) == 1


def _zone_of(type_: pa.DataType) -> str | None:
    return type_.tz if pa.types.is_timestamp(type_) else None


def _unit_of(type_: pa.DataType) -> str:
    if pa.types.is_timestamp(type_):
        return str(type_.unit)
    if pa.types.is_date32(type_):
        return "day"
    return "ms" if pa.types.is_date64(type_) else ""


def _counts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_date32(column.type):  # Arrow casts days to 32 bits alone
        column = column.cast(pa.int32())
    return column.cast(pa.int64())

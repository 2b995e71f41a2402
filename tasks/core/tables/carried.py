"""Carried columns: the one Arrow type in which scores hold what files store in several."""

import pyarrow as pa

from tasks.core.tables.columns import kind_of

COARSER = {"s", "ms"}  # units of time that microseconds hold without a loss


def carried_type(type_: pa.DataType) -> pa.DataType:
    """Return the type that stands for all physical types of the same kind, without a loss.

    >>> carried_type(pa.large_string()), carried_type(pa.int16()), carried_type(pa.timestamp("ms"))
    (DataType(string), DataType(int64), TimestampType(timestamp[us]))
    """
    if pa.types.is_dictionary(type_):
        return carried_type(type_.value_type)
    if kind_of(type_) == "categorical":
        return pa.string()
    if pa.types.is_integer(type_) and not pa.types.is_uint64(type_):
        return pa.int64()
    if pa.types.is_floating(type_):
        return pa.float64()
    if pa.types.is_timestamp(type_) and type_.unit in COARSER:
        return pa.timestamp("us", type_.tz)
    return type_


def carry(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in the type in which scores hold it.

    >>> carry(pa.chunked_array([pa.array(["a"], pa.large_string())])).type
    DataType(string)
    """
    wanted = carried_type(column.type)
    return column if column.type == wanted else column.cast(wanted)

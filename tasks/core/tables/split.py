"""The split: which rows train a model, and which judge it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.errors import RequestError
from tasks.core.tables.columns import kind_of

HELD_OUT = 0.2
HELD_OUT_BELOW = np.uint64(HELD_OUT * 2**64)  # of the hashes


@dataclass(frozen=True)
class Split:
    """A rule that says whether a row is held out, be it of today's table or of a later one.

    By time, rows at or after `cutoff` are held out. By hash, rows whose `columns` hash into the
    lowest `HELD_OUT` of all hashes are, so that a row stays where it is as the table grows.
    """

    by: Literal["time", "hash"]
    columns: tuple[str, ...]
    cutoff: str = ""


def make_split(table: pa.Table, time: str | None, id_column: str | None) -> Split:
    """Choose the rule for a table: hold out the newest fifth by `time`, else a fifth by hash.

    The hash is that of the id, or without one that of the whole content of a row.

    Raises:
        RequestError: the time column holds no times, has gaps, or only one value.
    """
    if time is not None:
        return Split("time", (time,), _find_cutoff(table[time], time))

    if id_column is not None:
        return Split("hash", (id_column,))
    return Split("hash", tuple(sorted(table.column_names)))


def _find_cutoff(column: pa.ChunkedArray, name: str) -> str:
    """Return the time at which the newest fifth of the rows begins."""
    if not (pa.types.is_timestamp(column.type) or pa.types.is_floating(column.type)):
        raise RequestError(f"data.time: column {name!r} holds {column.type}, not times or numbers.")

    missing = pc.sum(pc.is_null(column, nan_is_null=True)).as_py()
    if missing:
        raise RequestError(
            f"data.time: column {name!r} is missing in {missing:,} rows: fill or remove them."
        )

    times = np.sort(_times(column))
    position = int(len(times) * (1 - HELD_OUT))
    cutoff = times[position]
    if cutoff == times[0]:
        raise RequestError(
            f"data.time: the oldest {1 - HELD_OUT:.0%} of the rows share one value of {name!r}."
        )
    return str(cutoff)


def held_out(table: pa.Table, split: Split) -> NDArray[np.bool_]:
    """Return whether the rule holds out each row; shape (n,).

    >>> rows = pa.table({"t": [1.0, 2.0, 3.0, 4.0, 5.0]})
    >>> held_out(rows, make_split(rows, "t", None)).tolist()
    [False, False, False, False, True]
    """
    if split.by == "hash":
        return np.asarray(_hashes(table, split.columns) < HELD_OUT_BELOW)

    times = _times(table[split.columns[0]])
    cutoff = times.dtype.type(split.cutoff)
    return np.asarray(times >= cutoff)


def seen_in_training(table: pa.Table, split: Split) -> NDArray[np.bool_]:
    """Return whether a model trained under this rule may have seen each row; shape (n,).

    Every row may have been seen where the rule cannot be applied to the table.
    """
    every_row = np.ones(len(table), dtype=np.bool_)
    if any(name not in table.column_names for name in split.columns):
        return every_row

    try:
        return ~held_out(table, split)
    except (ValueError, TypeError, pa.ArrowInvalid):  # the column has become one of another type
        return every_row


def _times(column: pa.ChunkedArray) -> NDArray[Any]:
    times = np.asarray(column.to_numpy())
    if times.dtype.kind not in "Mf":  # strings would compare too, by their letters
        raise TypeError(f"{column.type} holds no times")
    return times


def _hashes(table: pa.Table, columns: Sequence[str]) -> NDArray[np.uint64]:
    strings = {name: _hashable(table[name]) for name in columns}
    frame = pd.DataFrame(strings)

    hashes = pd.util.hash_pandas_object(frame, index=False)
    return np.asarray(hashes, dtype=np.uint64)


def _hashable(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """Return each value as a string, so that an id hashes the same from CSV and from Parquet."""
    if kind_of(column.type) is None:  # Arrow casts neither lists nor bytes to strings
        values = column.to_pylist()
        strings = ["" if value is None else str(value) for value in values]
        return np.asarray(strings, dtype=object)

    cast = column.cast(pa.string())
    filled = pc.fill_null(cast, "")
    return np.asarray(filled.to_numpy(), dtype=object)

"""The split: which rows train a model, and which judge it."""

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


@dataclass(frozen=True)
class Split:
    """A rule that says of any row, of today's table or of a later one, whether it is held out.

    By time, rows at or after `cutoff` are held out. By hash, rows whose `columns` hash into the
    lowest `HELD_OUT` of all hashes are, so that a row stays where it is as the table grows.
    """

    by: Literal["time", "hash"]
    columns: tuple[str, ...]
    cutoff: str = ""


def make_split(table: pa.Table, time: str | None, id_column: str | None) -> Split:
    """Choose the rule for a table: the newest fifth by `time`, else a fifth by the hash of the id
    or of the content.

    Raises:
        RequestError: the time column holds no times, has gaps, or only one value.
    """
    if not time:
        columns = (id_column,) if id_column else tuple(sorted(table.column_names))
        return Split("hash", columns)
    column = table[time]
    if not (pa.types.is_timestamp(column.type) or pa.types.is_floating(column.type)):
        raise RequestError(f"data.time: column {time!r} holds {column.type}, not times or numbers.")
    if missing := pc.sum(pc.is_null(column, nan_is_null=True)).as_py():
        raise RequestError(
            f"data.time: column {time!r} is missing in {missing:,} rows: fill or remove them."
        )
    moments = np.sort(_moments(column))
    cutoff = moments[int(len(moments) * (1 - HELD_OUT))]
    if cutoff == moments[0]:
        raise RequestError(
            f"data.time: the oldest {1 - HELD_OUT:.0%} of the rows share one value of {time!r}."
        )
    return Split("time", (time,), str(cutoff))


def held_out(table: pa.Table, split: Split) -> NDArray[np.bool_]:
    """Tell for each row whether the rule holds it out; shape (n,).

    >>> rows = pa.table({"t": [1.0, 2.0, 3.0, 4.0, 5.0]})
    >>> held_out(rows, make_split(rows, "t", None)).tolist()
    [False, False, False, False, True]
    """
    if split.by == "time":
        moments = _moments(table[split.columns[0]])
        return np.asarray(moments >= moments.dtype.type(split.cutoff))
    frame = pd.DataFrame({name: _hashable(table[name]) for name in split.columns})
    hashes = pd.util.hash_pandas_object(frame, index=False).to_numpy(dtype=np.uint64)
    return np.asarray(hashes < np.uint64(HELD_OUT * 2**64))


def seen_in_training(table: pa.Table, split: Split) -> NDArray[np.bool_]:
    """Tell for each row whether a model trained under this rule may have seen it; a rule that
    cannot tell says yes.
    """
    if any(name not in table.column_names for name in split.columns):
        return np.ones(len(table), dtype=np.bool_)
    try:
        return ~held_out(table, split)
    except (ValueError, TypeError, pa.ArrowInvalid):  # the column has become one of another type
        return np.ones(len(table), dtype=np.bool_)


def _moments(column: pa.ChunkedArray) -> NDArray[Any]:
    moments = np.asarray(column.to_numpy())
    if moments.dtype.kind not in "Mf":  # texts would compare too, by their letters
        raise TypeError(f"{column.type} holds no moments")
    return moments


def _hashable(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """Write each value as text, so that an id hashes the same from CSV and from Parquet."""
    if kind_of(column.type) is None:  # Arrow writes neither lists nor bytes as text
        return np.asarray(
            ["" if value is None else str(value) for value in column.to_pylist()], dtype=object
        )
    return np.asarray(pc.fill_null(column.cast(pa.string()), "").to_numpy(), dtype=object)

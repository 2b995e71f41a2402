"""Rows to try a model on: as pandas reads them by default, and which of them tell the most."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.core.errors import RequestError
from tasks.core.model.invalid_values import distinct_patterns
from tasks.core.storage.location import open_filesystem
from tasks.core.tables.columns import Column
from tasks.core.tables.sources import SourceFile

MOST_ROWS = 2048
RAREST = 500  # values of a column that are tried, the rarest first
OF_A_KIND = 200  # patterns of missing values, and rows that pandas reads otherwise


def read_by_pandas(files: Sequence[SourceFile], names: Sequence[str]) -> pd.DataFrame:
    """Read columns as a person would: with pandas and its defaults.

    Columns that stand in no file are left out.

    Raises:
        RequestError: pandas cannot read a file.
    """
    frames = []
    for file in files:
        try:
            frame = _read(file)
        except (ValueError, TypeError, LookupError, OSError, pa.ArrowException) as error:
            reason = " ".join(str(error).split())
            raise RequestError(
                f"{file.path} cannot be read by pandas, so what the model was fitted on cannot be "
                f"held against it: {reason}"
            ) from error
        frames.append(frame[[name for name in names if name in frame.columns]])
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def _read(file: SourceFile) -> pd.DataFrame:
    filesystem, path = open_filesystem(file.path)
    with filesystem.open(path, "rb") as stream:
        if file.format == "csv":
            is_compressed = path.lower().endswith(".gz")
            return pd.read_csv(stream, compression="gzip" if is_compressed else None)
        return pd.read_parquet(stream).reset_index()


def choose_rows(
    table: pa.Table, features: Sequence[Column], frame: pd.DataFrame, most: int = MOST_ROWS
) -> NDArray[np.int64]:
    """Choose the rows that tell the most: the odd ones first, the others spread over the table.

    Args:
        table: all rows.
        features: the columns that the model takes.
        frame: the same rows as pandas reads them, some columns perhaps left out.
        most: rows to choose.

    Returns:
        the numbers of the rows, ascending.
    """
    chosen = [_with_patterns(table, features), _read_otherwise(table, features, frame)]
    for column in features:
        chosen += _with_rare_values(table[column.name], column)

    odd = _first_of_all(chosen, most)
    spread = np.linspace(0, len(table) - 1, min(most, len(table)), dtype=np.int64)
    others = np.setdiff1d(spread, odd)
    step = max(1, -(-len(others) // max(1, most - len(odd))))
    return np.union1d(odd, others[::step])


def _first_of_all(lists: Sequence[NDArray[np.int64]], most: int) -> NDArray[np.int64]:
    """Take the first of every list, then the second of every list, and so on."""
    ranks = np.concatenate([np.arange(len(rows)) for rows in lists])
    rows = np.concatenate(lists)
    in_order = rows[np.argsort(ranks, kind="stable")]

    _, first = np.unique(in_order, return_index=True)
    return np.sort(in_order[np.sort(first)][:most])


def _with_patterns(table: pa.Table, features: Sequence[Column]) -> NDArray[np.int64]:
    """Return the first rows of the patterns of missing values."""
    is_missing = np.stack([_is_missing(table[column.name]) for column in features], axis=1)
    _, first_rows, _ = distinct_patterns(is_missing)
    return np.sort(first_rows)[:OF_A_KIND]


def _read_otherwise(
    table: pa.Table, features: Sequence[Column], frame: pd.DataFrame
) -> NDArray[np.int64]:
    """Return rows with a value that is missing in one reading, and not in the other."""
    found = np.zeros(len(table), dtype=bool)
    for column in features:
        if column.name in frame.columns:
            found |= _is_missing(table[column.name]) != frame[column.name].isna().to_numpy()
    return np.flatnonzero(found)[:OF_A_KIND]


def _with_rare_values(values: pa.ChunkedArray, column: Column) -> Iterator[NDArray[np.int64]]:
    """Yield the first rows of rare values, and of the smallest and the largest number."""
    if column.kind == "numeric":
        numbers = values.cast(pa.float64(), safe=False).to_numpy()
        if not np.isnan(numbers).all():
            yield np.array([np.nanargmin(numbers), np.nanargmax(numbers)])
        return

    codes = pc.dictionary_encode(values.combine_chunks()).indices.fill_null(-1).to_numpy()
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    yield first[np.argsort(counts, kind="stable")][:RAREST]


def _is_missing(values: pa.ChunkedArray) -> NDArray[Any]:
    return np.asarray(pc.is_null(values, nan_is_null=True).to_numpy())

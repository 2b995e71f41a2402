"""Ids: none may occur twice in an output, however large; checked in bounded memory."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import QUARANTINE, Part
from tasks.core.score_columns import kept_name
from tasks.core.storage.files import open_binary
from tasks.core.storage.location import join

AT_ONCE = 1 << 24  # hashes of 8 bytes that are held in memory at once


def check_unique_ids(folder: str, parts: Sequence[Part], column: str) -> None:
    """Refuse parts in which an id occurs twice, among scores and quarantine together.

    Ids in ascending order are told in one pass; others by their hashes, as many at once as memory
    is meant for, and where two hashes are equal by the ids themselves.

    Raises:
        AfterfitError: with an id that occurs twice.
    """
    chunks = [_reader(folder, part.name, column) for part in parts if part.sha256]
    chunks += [
        _reader(folder, join(QUARANTINE, part.name), column, quarantined=True)
        for part in parts
        if part.quarantine_sha256
    ]
    if _ascending(read() for read in chunks):
        return
    rows = sum(part.rows + part.quarantined for part in parts)
    passes = -(-rows // AT_ONCE)
    for number in range(passes):
        taken = [
            hashes[hashes % np.uint64(passes) == number]
            for hashes in (_hashes(read()) for read in chunks)
        ]
        ordered = np.sort(np.concatenate(taken))
        if len(twice := ordered[1:][ordered[1:] == ordered[:-1]]):
            _confirm(chunks, twice)


def _reader(
    folder: str, name: str, column: str, *, quarantined: bool = False
) -> Callable[[], pa.ChunkedArray]:
    def read() -> pa.ChunkedArray:
        with open_binary(join(folder, name)) as file:
            ids = (
                pq.ParquetFile(file)
                .read(columns=[kept_name(column) if quarantined else column])
                .column(0)
            )
        return (
            ids.cast(ids.type.value_type) if pa.types.is_dictionary(ids.type) else ids
        ).drop_null()

    return read


def _ascending(chunks: Iterator[pa.ChunkedArray]) -> bool:
    """Tell whether each id is larger than the one before."""
    last: pa.Scalar | None = None
    for chunk in chunks:
        ids = (
            chunk.combine_chunks()
            if last is None
            else pa.chunked_array([pa.array([last]), *chunk.chunks])
        )
        ids = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
        if len(ids) > 1 and not pc.all(pc.less(ids[:-1], ids[1:])).as_py():
            return False
        last = ids[-1] if len(ids) else last
    return True


def _hashes(ids: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Give a hash of 64 bits for each id."""
    if pa.types.is_integer(ids.type):
        numbers = ids.to_numpy().astype(np.int64, copy=False)
    else:
        numbers = np.asarray(ids.cast(pa.string()).to_numpy(), dtype=object)
    return np.asarray(pd.util.hash_array(numbers, categorize=False), dtype=np.uint64)


def _confirm(chunks: Sequence[Callable[[], pa.ChunkedArray]], hashes: NDArray[np.uint64]) -> None:
    """Refuse ids with these hashes that are equal themselves."""
    suspected = [
        ids.filter(pa.array(np.isin(_hashes(ids), hashes))) for ids in (read() for read in chunks)
    ]
    counted = pc.value_counts(pa.chunked_array([part for ids in suspected for part in ids.chunks]))
    twice = [item["values"] for item in counted.to_pylist() if item["counts"] > 1]
    if twice:
        more = f", and {len(twice) - 1:,} more do" if len(twice) > 1 else ""
        raise AfterfitError(
            f"The id {twice[0]!r} occurs twice{more}: nothing was committed. Ids tell rows apart: leave out the rows "
            "that are there twice, or name another `data.id`."
        )

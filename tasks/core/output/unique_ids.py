"""Ids: none may occur twice in an output, however large; checked in bounded memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence

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

Hashes = NDArray[np.uint64]
HashIds = Callable[[pa.ChunkedArray], Hashes]
ReadIds = Callable[[], pa.ChunkedArray]


def hash_ids(ids: pa.ChunkedArray) -> Hashes:
    """Return a hash of 64 bits for each id."""
    if pa.types.is_integer(ids.type):
        values = ids.to_numpy().astype(np.int64, copy=False)
    else:
        strings = ids.cast(pa.string()).to_numpy()
        values = np.asarray(strings, dtype=object)

    hashes = pd.util.hash_array(values, categorize=False)
    return np.asarray(hashes, dtype=np.uint64)


def check_unique_ids(
    folder: str,
    parts: Sequence[Part],
    column: str,
    at_once: int = AT_ONCE,
    hash_ids: HashIds = hash_ids,
) -> None:
    """Refuse parts in which an id occurs twice, among scores and quarantine together.

    Ids in ascending order are recognised in one pass. Others are compared by their hashes, at most
    about `at_once` of them in memory, and where two hashes are equal by the ids themselves.

    Raises:
        AfterfitError: with an id that occurs twice.
    """
    readers = list(_readers(folder, parts, column))
    if _is_ascending(read() for read in readers):
        return

    rows = sum(part.rows + part.quarantined for part in parts)
    passes = -(-rows // at_once)
    for number in range(passes):
        repeated = _repeated_hashes(readers, hash_ids, number, passes)
        if len(repeated):
            _check_ids_themselves(readers, repeated, hash_ids)


def _readers(folder: str, parts: Sequence[Part], column: str) -> Iterator[ReadIds]:
    """Make a function for each file that reads its ids."""
    for part in parts:
        if part.sha256:
            yield _reader(join(folder, part.name), column)

    for part in parts:
        if part.quarantine_sha256:
            yield _reader(join(folder, QUARANTINE, part.name), kept_name(column))


def _reader(file: str, column: str) -> ReadIds:
    def read() -> pa.ChunkedArray:
        with open_binary(file) as opened:
            table = pq.ParquetFile(opened).read(columns=[column])
        ids = table.column(0)
        if pa.types.is_dictionary(ids.type):
            ids = ids.cast(ids.type.value_type)
        is_missing = pc.is_null(ids, nan_is_null=True)
        return ids.filter(pc.invert(is_missing))

    return read


def _is_ascending(chunks: Iterable[pa.ChunkedArray]) -> bool:
    """Return whether each id is larger than the one before."""
    last: pa.Scalar | None = None
    for chunk in chunks:
        arrays = list(chunk.chunks)
        if last is not None:
            arrays.insert(0, pa.array([last], chunk.type))
        ids = pa.chunked_array(arrays, chunk.type).combine_chunks()
        if not len(ids):
            continue

        rises = pc.less(ids[:-1], ids[1:])
        if not pc.all(rises, min_count=0).as_py():
            return False
        last = ids[-1]
    return True


def _repeated_hashes(
    readers: Sequence[ReadIds], hash_ids: HashIds, number: int, passes: int
) -> Hashes:
    """Return the hashes that occur again, of those that belong to this pass: one in `passes`."""
    taken = []
    for read in readers:
        hashes = hash_ids(read())
        belongs = hashes % np.uint64(passes) == number
        taken.append(hashes[belongs])

    ordered = np.sort(np.concatenate(taken))
    is_repeated = ordered[1:] == ordered[:-1]
    repeated: Hashes = ordered[1:][is_repeated]
    return repeated


def _check_ids_themselves(readers: Sequence[ReadIds], hashes: Hashes, hash_ids: HashIds) -> None:
    """Refuse ids with these hashes that are equal themselves."""
    suspects: list[pa.Array] = []
    for read in readers:
        ids = read()
        is_suspect = np.isin(hash_ids(ids), hashes)
        suspects += ids.filter(pa.array(is_suspect)).chunks

    counts = pc.value_counts(pa.chunked_array(suspects)).to_pylist()
    twice = [item["values"] for item in counts if item["counts"] > 1]
    if not twice:
        return

    more = f", and {len(twice) - 1:,} more do" if len(twice) > 1 else ""
    raise AfterfitError(
        f"The id {twice[0]!r} occurs twice{more}: nothing was committed. Ids tell rows apart: "
        "leave out the rows that are there twice, or name another `data.id`."
    )

"""The floor, which is what one writes by hand.

It reads with pyarrow, calls `predict_proba` on all cores, and writes with pyarrow.

`python floor.py MODEL SOURCE OUTPUT [THREADS]`: one chunk at a time, on the threads the library
starts by itself; or THREADS chunks side by side, on one thread each.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from predictions import Model
from threadpoolctl import threadpool_limits

# Each chunk starts and joins the library's threads once for every tree: a large one pays for that.
CHUNK, CHUNK_SIDE_BY_SIDE = 1 << 19, 1 << 17


def main(model: str, source: str, output: str, threads: str = "0") -> None:
    """Score a folder of Parquet files into one file, in the order of the rows."""
    loaded = Model(model)
    if int(threads):
        tables = chunks(source, loaded.names, CHUNK_SIDE_BY_SIDE)
        scored = side_by_side(loaded, tables, int(threads))
    else:
        tables = chunks(source, loaded.names, CHUNK)
        scored = map(loaded.score, tables)
    write(scored, output)


def write(scored: Iterator[pa.Table], output: str) -> None:
    """Write tables into one file."""
    first = next(scored)
    Path(output).mkdir()
    path = f"{output}/scores.parquet"
    with pq.ParquetWriter(path, first.schema, compression="zstd", compression_level=1) as writer:
        writer.write_table(first)
        for table in scored:
            writer.write_table(table)


def chunks(source: str, names: list[str], rows: int) -> Iterator[pa.Table]:
    """Read the columns of a model, so many rows at a time."""
    for path in sorted(Path(source).glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(rows, columns=names):
                yield pa.Table.from_batches([batch])


def side_by_side(model: Model, tables: Iterator[pa.Table], threads: int) -> Iterator[pa.Table]:
    """Score chunks on several threads, with one more waiting for each that is computed."""
    waiting: list[Future[pa.Table]] = []

    def limit() -> None:
        threadpool_limits(1)

    with ThreadPoolExecutor(threads, initializer=limit) as pool:
        for table in tables:
            waiting.append(pool.submit(model.score, table))
            if len(waiting) > 2 * threads:
                yield waiting.pop(0).result()
        yield from (future.result() for future in waiting)


if __name__ == "__main__":
    main(*sys.argv[1:])

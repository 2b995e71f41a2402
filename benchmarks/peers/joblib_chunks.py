"""joblib: one process per core, each reading, scoring and writing chunks of a row group or more.

`python joblib_chunks.py MODEL SOURCE OUTPUT`
"""

import os
import sys
from pathlib import Path

import pyarrow.parquet as pq
from joblib import Parallel, delayed
from predictions import load


def main(model: str, source: str, output: str) -> None:
    """Score every row group of a folder of Parquet files."""
    Path(output).mkdir()
    score = delayed(score_group)
    calls = []
    for path in sorted(Path(source).glob("*.parquet")):
        groups = range(pq.ParquetFile(path).num_row_groups)
        calls += [score(model, path, group, output) for group in groups]

    # loky gives each of its processes its share of the cores: one thread.
    Parallel(os.cpu_count(), batch_size=1)(calls)


def score_group(model: str, path: Path, group: int, output: str) -> None:
    """Score one row group into a file of its own."""
    loaded = load(model)
    file = pq.ParquetFile(path)
    table = file.read_row_group(group, columns=loaded.names, use_threads=False)

    scores = f"{output}/{path.stem}-{group}.parquet"
    pq.write_table(loaded.score(table), scores, compression="zstd", compression_level=1)


if __name__ == "__main__":
    main(*sys.argv[1:])

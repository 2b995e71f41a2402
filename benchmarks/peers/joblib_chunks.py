"""joblib: one process per core, each reading, scoring and writing chunks of a row group or more.

`python joblib_chunks.py MODEL SOURCE OUTPUT`
"""

import os
import sys
from pathlib import Path

import pyarrow.parquet as pq
from answers import load
from joblib import Parallel, delayed


def main(model: str, source: str, output: str) -> None:
    """Score every row group of a folder of Parquet files."""
    Path(output).mkdir()
    groups = [
        (path, group)
        for path in sorted(Path(source).glob("*.parquet"))
        for group in range(pq.ParquetFile(path).num_row_groups)
    ]
    # loky gives each of its processes its share of the cores: one thread.
    score = delayed(score_group)
    Parallel(os.cpu_count(), batch_size=1)(
        score(model, path, group, output) for path, group in groups
    )


def score_group(model: str, path: Path, group: int, output: str) -> None:
    """Score one row group into a file of its own."""
    loaded = load(model)
    scores = loaded.score(
        pq.ParquetFile(path).read_row_group(group, columns=loaded.names, use_threads=False)
    )
    pq.write_table(
        scores, f"{output}/{path.stem}-{group}.parquet", compression="zstd", compression_level=1
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

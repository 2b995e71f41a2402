"""Ray Data: `map_batches` over actors that hold the model, with numpy batches.

`python ray_data.py MODEL SOURCE OUTPUT [ACTORS BATCH]`
"""

import os
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import ray
from predictions import Model

BLOCK_ROWS = 1 << 18


class Scorer:
    """An actor."""

    def __init__(self, model: str) -> None:
        """Load the model, once in each actor."""
        self.model = Model(model)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return predictions and probabilities for a batch."""
        model = self.model
        rows = model.matrix([batch[name] for name in model.names])
        return model.columns(model.estimator.predict_proba(rows))


def main(model: str, source: str, output: str, actors: str = "2", batch: str = "65536") -> None:
    """Score a folder of Parquet files."""
    cores = os.cpu_count() or 1
    # The actors take the cores, so reading and writing are given some more to be scheduled on.
    ray.init(
        num_cpus=2 * cores, include_dashboard=False, log_to_driver=False, logging_level="error"
    )
    ray.data.DataContext.get_current().enable_progress_bars = False

    # By default a file is a block, too few for an even share of the work.
    rows_there = sum(pq.read_metadata(path).num_rows for path in Path(source).glob("*.parquet"))
    blocks = max(2 * cores, rows_there // BLOCK_ROWS)
    rows = ray.data.read_parquet(source, columns=Model(model).names, override_num_blocks=blocks)

    scores = rows.map_batches(
        Scorer,
        fn_constructor_args=[model],
        batch_format="numpy",
        batch_size=int(batch),
        compute=ray.data.ActorPoolStrategy(size=int(actors)),
        num_cpus=1,
    )
    scores.write_parquet(output, compression="zstd", compression_level=1)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""dask-ml: ParallelPostFit over a Dask DataFrame.

`python dask_ml_post_fit.py MODEL SOURCE OUTPUT [processes]`
"""

import os
import sys

import dask
import dask.dataframe as dd
import pandas as pd
from dask_ml.wrappers import ParallelPostFit
from distributed import Client
from predictions import Model


def main(model: str, source: str, output: str, where: str = "threads") -> None:
    """Score a folder of Parquet files on one worker per core.

    There is one file of scores for each partition.
    """
    if where == "processes":
        with Client(n_workers=os.cpu_count(), threads_per_worker=1, dashboard_address=None):
            score(model, source, output)
    else:
        score(model, source, output)


def score(model: str, source: str, output: str) -> None:
    """Build the graph and compute it."""
    loaded = Model(model)
    dask.config.set({"dataframe.parquet.minimum-partition-size": 0})
    frame = dd.read_parquet(source, columns=loaded.names, split_row_groups=1)
    predicted = ParallelPostFit(Framed(loaded)).predict_proba(frame)
    predicted.to_parquet(output, write_index=False, compression="zstd", compression_level=1)


class Framed:
    """The model as an estimator whose `predict_proba` takes and returns frames.

    Frames are what can be written.
    """

    def __init__(self, model: Model) -> None:
        """Wrap a model."""
        self.model = model
        self.classes_ = model.estimator.classes_

    def predict_proba(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return predictions and probabilities for the rows of a frame."""
        model = self.model
        rows = frame
        if model.bare:
            rows = model.matrix([frame[name].to_numpy() for name in model.names])
        probabilities = model.estimator.predict_proba(rows)
        return pd.DataFrame(model.columns(probabilities))


if __name__ == "__main__":
    main(*sys.argv[1:])

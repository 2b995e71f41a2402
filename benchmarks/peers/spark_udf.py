"""PySpark: an iterator `pandas_udf` on `local[*]`, Arrow batches in and out.

`python spark_udf.py MODEL SOURCE OUTPUT [BATCH]`
"""

import os
import sys
from collections.abc import Iterator

import pandas as pd
from predictions import Model
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf

SCORES = "prediction long, probability_0 double, probability_1 double"


def main(model: str, source: str, output: str, batch: str = "65536") -> None:
    """Score a folder of Parquet files."""
    session = start(batch)
    names = Model(model).names

    @pandas_udf(SCORES)
    def score(batches: Iterator[tuple[pd.Series, ...]]) -> Iterator[pd.DataFrame]:
        loaded = Model(model)
        for columns in batches:
            rows = loaded.matrix([column.to_numpy() for column in columns])
            yield pd.DataFrame(loaded.columns(loaded.estimator.predict_proba(rows)))

    rows = session.read.parquet(source)
    scores = rows.select(score(*names).alias("scores"))
    scores.select("scores.*").write.parquet(output)
    session.stop()


def start(batch: str) -> SparkSession:
    """Start Spark in this process, with a task for each core."""
    return (
        SparkSession.builder.master(f"local[{os.cpu_count()}]")
        .config("spark.driver.memory", "4g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.executorEnv.OMP_NUM_THREADS", "1")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", batch)
        .config("spark.sql.parquet.compression.codec", "zstd")
        .config("parquet.compression.codec.zstd.level", "1")
        .getOrCreate()
    )


if __name__ == "__main__":
    os.environ["PYSPARK_PYTHON"] = sys.executable
    main(*sys.argv[1:])

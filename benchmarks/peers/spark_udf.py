"""PySpark: an iterator `pandas_udf` on `local[*]`, Arrow batches in and out.

`python spark_udf.py MODEL SOURCE OUTPUT [BATCH]`
"""

import os
import sys
from collections.abc import Iterator

import pandas as pd
from answers import Model
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf

ANSWER = "prediction long, probability_0 double, probability_1 double"


def main(model: str, source: str, output: str, batch: str = "65536") -> None:
    """Score a folder of Parquet files."""
    session = (
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
    names = Model(model).names

    @pandas_udf(ANSWER)
    def score(batches: Iterator[tuple[pd.Series, ...]]) -> Iterator[pd.DataFrame]:
        loaded = Model(model)
        for columns in batches:
            rows = loaded.matrix([column.to_numpy() for column in columns])
            yield pd.DataFrame(loaded.columns(loaded.estimator.predict_proba(rows)))

    session.read.parquet(source).select(score(*names).alias("answer")).select(
        "answer.*"
    ).write.parquet(output)
    session.stop()


if __name__ == "__main__":
    os.environ["PYSPARK_PYTHON"] = sys.executable
    main(*sys.argv[1:])

"""Open a model: the one way from a registered version to a model in memory."""

from dataclasses import dataclass
from functools import lru_cache

import pandas as pd
import pyarrow as pa

from tasks.core.errors import RequestError
from tasks.core.model.metadata import (
    METADATA_NAME,
    MODEL_NAME,
    ModelMetadata,
    parse_metadata,
)
from tasks.core.model.predictor import Predictor, make_predictor
from tasks.core.model.scorer import Scored, Scorer, columns_read
from tasks.core.model.skops_file import parse_pipeline
from tasks.core.model.version import ModelVersion, read_files
from tasks.core.score_columns import ScoreColumns
from tasks.core.tables.schemas import check_schema, check_zones


@dataclass(frozen=True)
class Model:
    """A registered model in memory. Whoever holds it owns it."""

    version: ModelVersion
    metadata: ModelMetadata
    predictor: Predictor

    def scorer(self, columns: ScoreColumns | None = None) -> Scorer:
        """Return a scorer; the columns of its scores are by default those of the model's spec."""
        return Scorer(self.predictor, self.version.version, columns or self.metadata.columns)

    def score(self, rows: pa.Table | pa.RecordBatch | pd.DataFrame) -> Scored:
        """Score some rows, as `afterfit score` does.

        Args:
            rows: the features of the model and the columns that its scores carry, by name; the
                order does not matter, and other columns are not read.

        Returns:
            the scores, in the order of the rows, and the rows that could not be scored.

        Raises:
            RequestError: a column is missing, or of another kind than the model was trained on.
            AfterfitError: the model does not predict each row.
        """
        table = _as_table(rows)
        columns = self.metadata.columns
        check_schema(table.schema, self.metadata.features, columns.carried, "the rows")
        check_zones(table.schema, self.metadata.features, "the rows")

        read = table.select(columns_read(self.metadata.features, columns))
        return self.scorer().score(read.combine_chunks())


def open_model(
    version: ModelVersion, rows: pa.Table | None = None, *, proba: bool = False
) -> Model:
    """Open the fetched files of a version.

    1. read the files, and hold them against the digest that was registered;
    2. parse the metadata, and refuse what this scikit-learn cannot score;
    3. load the pipeline, trusting only our own list of types;
    4. make the predictor.

    Args:
        version: a registered version, fetched.
        rows: some rows to be scored; with these, every short cut that predicts them the same is
            taken. Without them scikit-learn itself predicts.
        proba: whether probabilities will be asked for.

    Raises:
        RequestError: the files are not those that were registered, or cannot be used here.
    """
    files = read_files(version, METADATA_NAME, MODEL_NAME)
    metadata = parse_metadata(files.get(METADATA_NAME), version.title)
    if MODEL_NAME not in files:
        raise RequestError(f"{version.title} has no {MODEL_NAME}: register the model again.")

    pipeline = parse_pipeline(files.pop(MODEL_NAME), MODEL_NAME)
    return Model(version, metadata, make_predictor(pipeline, metadata.features, rows, proba=proba))


@lru_cache(maxsize=8)  # each bundle asks, and the files of a model may be large
def open_metadata(version: ModelVersion) -> ModelMetadata:
    """Return the metadata of a version, from its fetched files.

    Raises:
        RequestError: the files are not those that were registered, or cannot be used here.
    """
    files = read_files(version, METADATA_NAME)
    return parse_metadata(files.get(METADATA_NAME), version.title)


def _as_table(rows: pa.Table | pa.RecordBatch | pd.DataFrame) -> pa.Table:
    if isinstance(rows, pa.Table):
        return rows
    if isinstance(rows, pa.RecordBatch):
        return pa.Table.from_batches([rows])
    if not isinstance(rows, pd.DataFrame):
        raise RequestError(
            f"The rows are a {type(rows).__name__}: give an Arrow table or a pandas DataFrame."
        )

    try:
        return pa.Table.from_pandas(rows, preserve_index=False)
    except (ValueError, TypeError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise RequestError(f"The DataFrame cannot be read as a table: {reason}") from error

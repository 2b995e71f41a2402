"""The trial: what the process does that opens a model from elsewhere first.

`python -m tasks.core.foreign.trial FOLDER SECONDS`, which `sandbox.try_model` starts.
"""

import json
import pickle
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.foreign.archive import check_archive
from tasks.core.foreign.limits import BASE_MEMORY, limit_memory, limit_process
from tasks.core.foreign.parity import check_parity
from tasks.core.foreign.sandbox import (
    ANSWER,
    CPU_SECONDS,
    MODEL,
    READ,
    TABLE,
    Request,
    read_request,
)
from tasks.core.foreign.suitability import check_classes, check_kind, order_features
from tasks.core.model.predictor import Predictor, make_predictor
from tasks.core.model.skops_file import load_pipeline
from tasks.core.tables.arrow_files import open_table
from tasks.core.tables.columns import Column

COPIES = 3  # of what is unpacked: packed, as arrays, and as the model holds them
SIZES = (1, 2)  # of rows, before all of them


def main(folder: Path, seconds: int) -> int:
    """Try the model in a folder, and write there what came of it."""
    limit_process(seconds, CPU_SECONDS)
    warnings.simplefilter("ignore")

    try:
        limit_memory(BASE_MEMORY + COPIES * check_archive(folder / MODEL))
        features = run(read_request(folder), folder)
        answer: dict[str, Any] = {"features": [column.name for column in features]}
    except MemoryError:
        answer = {"error": "to open and try it takes more memory than its size allows."}
    except AfterfitError as error:
        answer = {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - a model is somebody's file, and may raise anything
        reason = " ".join(str(error).split())
        answer = {"error": f"it cannot be tried ({type(error).__name__}: {reason})."}

    (folder / ANSWER).write_text(json.dumps(answer), encoding="utf-8")
    return 0


def run(request: Request, folder: Path) -> tuple[Column, ...]:
    """Open the model, hold it against the spec, and compare its predictions with its own.

    Returns:
        the features in the order in which the model was fitted on them.

    Raises:
        AfterfitError: the model is refused.
    """
    pipeline = load_pipeline(folder / MODEL)
    check_kind(pipeline, request.problem)
    is_classifier = request.problem == "classification"
    if is_classifier:
        check_classes(pipeline, request.target, request.labels)
    features = order_features(pipeline, request.features)

    table = open_table(str(folder / TABLE))
    predictor = make_predictor(pipeline, features)
    proba = is_classifier and hasattr(pipeline, "predict_proba")
    for size in SIZES:
        _predict(predictor, table.slice(0, size), proba=proba)

    check_parity(predictor, table, _read_rows(folder), request.rows, proba=proba)
    return features


def _predict(predictor: Predictor, rows: pa.Table, *, proba: bool) -> None:
    """Predict some rows for what it may do to the process; a refusal is not one."""
    try:
        predictor.predict(rows, proba=proba)
    except AfterfitError:
        return


def _read_rows(folder: Path) -> pd.DataFrame:
    with (folder / READ).open("rb") as file:
        rows = pickle.load(file)  # noqa: S301 - written by the process that started this one
    if not isinstance(rows, pd.DataFrame):
        raise RequestError(f"{READ} is no frame.")
    return rows


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))

"""What is stored with a model so that it scores and is judged later, without its spec file."""

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tasks.core.errors import RequestError
from tasks.core.metrics import Problem
from tasks.core.score_columns import ScoreColumns
from tasks.core.spec.spec import Spec
from tasks.core.tables.columns import Column
from tasks.core.tables.split import Split

METADATA_NAME = "afterfit.json"
MODEL_NAME = "model.skops"
FORMAT_VERSION = 2
# Its documents have no `format_version`: what scoring needs is taken from their spec.
FIRST_FORMAT = 1


@dataclass(frozen=True)
class ModelMetadata:
    """The metadata of a model: what scoring needs, and the spec as a document.

    Nothing reads the spec again: a version stays scorable when specs become stricter.

    `dropped` are columns of its table that it was not trained on. `columns` and `max_bad_rows` are
    what the spec says about scoring. `split` is the rule that kept rows from the training. `width`
    is the number of columns of its last step: more than the features where categories are one-hot
    encoded.
    """

    problem: Problem
    target: str
    dropped: tuple[str, ...]
    columns: ScoreColumns
    max_bad_rows: float
    features: tuple[Column, ...]
    split: Split
    scikit_learn: str
    width: int = 0
    spec: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the metadata into a model's folder."""
        document = {"format_version": FORMAT_VERSION, **asdict(self)}
        (folder / METADATA_NAME).write_text(json.dumps(document, indent=1), encoding="utf-8")


def describe_model(
    spec: Spec, features: tuple[Column, ...], split: Split, width: int = 0
) -> ModelMetadata:
    """Return the metadata of a model that is trained now.

    Args:
        spec: the spec it is trained by.
        features: the columns it takes.
        split: the rule that kept rows from its training.
        width: the number of columns of its last step.
    """
    document = spec.model_dump(mode="json")

    return _parse(
        {
            **_needed_for_scoring(document),
            "features": [asdict(column) for column in features],
            "split": asdict(split),
            "scikit_learn": scikit_learn_version(),
            "width": width,
            "spec": document,
        }
    )


def parse_metadata(content: bytes | None, origin: str) -> ModelMetadata:
    """Parse the metadata of a model.

    Args:
        content: that of the file, or None if there is none.
        origin: the model, as sentences name it.

    Raises:
        RequestError: there is none, it is of an unknown format or damaged, or the model was made
            with another minor version of scikit-learn.
    """
    if content is None:
        raise RequestError(
            f"{origin} was not registered by afterfit: bring it in with `afterfit register`."
        )
    where = f"{origin}: {METADATA_NAME}"
    document = _parse_document(content, where)

    try:
        check_scikit_learn(document["scikit_learn"], scikit_learn_version())
        if document.get("format_version", FIRST_FORMAT) == FIRST_FORMAT:
            document |= _needed_for_scoring(document["spec"])
        return _parse(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise RequestError(
            f"{where} is damaged ({type(error).__name__}: {error}): register the model again."
        ) from error


def model_name(content: bytes) -> str:
    """Return the name of the model that metadata are about; an empty string where they have none.

    >>> model_name(b'{"spec": {"name": "bike"}}'), model_name(b"")
    ('bike', '')
    """
    try:
        return str(json.loads(content)["spec"]["name"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _parse_document(content: bytes, where: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{where} is damaged: {error}.") from error

    found = document.get("format_version", FIRST_FORMAT) if isinstance(document, dict) else None
    if found not in (FIRST_FORMAT, FORMAT_VERSION):
        raise RequestError(
            f"The model's metadata is of format {found}, this version of afterfit reads formats "
            f"{FIRST_FORMAT} and {FORMAT_VERSION}: use the version that registered the model, or "
            "train it again with `afterfit train SPEC`."
        )
    return document


def _parse(document: Mapping[str, Any]) -> ModelMetadata:
    columns = document["columns"]
    split = document["split"]

    return ModelMetadata(
        problem=document["problem"],
        target=document["target"],
        dropped=tuple(document["dropped"]),
        columns=ScoreColumns(columns["id"], tuple(columns["keep"]), columns["proba"]),
        max_bad_rows=document["max_bad_rows"],
        features=tuple(Column(**column) for column in document["features"]),
        split=Split(**{**split, "columns": tuple(split["columns"])}),
        scikit_learn=document["scikit_learn"],
        width=document.get("width", 0),
        spec=document["spec"],
    )


def _needed_for_scoring(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Take what scoring needs from the document of a spec."""
    data = spec["data"]
    scoring = spec["scoring"]

    return {
        "problem": spec["problem"],
        "target": data["target"],
        "dropped": data["drop"],
        "columns": {"id": data["id"], "keep": scoring["keep"], "proba": scoring["proba"]},
        "max_bad_rows": scoring["max_bad_rows"],
    }


def scikit_learn_version() -> str:
    """Return the installed version of scikit-learn."""
    return importlib.metadata.version("scikit-learn")


def check_scikit_learn(made_with: str, installed: str) -> None:
    """Refuse a model made with another minor version: its predictions could differ silently.

    Raises:
        RequestError: with both versions, and what to do.

    >>> check_scikit_learn("1.9.0", "1.9.1")
    """
    if made_with.split(".")[:2] != installed.split(".")[:2]:
        raise RequestError(
            f"The model was made with scikit-learn {made_with}, installed is {installed}: train it "
            f"again with `afterfit train SPEC`, or install scikit-learn {made_with}."
        )

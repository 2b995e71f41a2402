"""The card: what is stored with a model so that it can be used and judged later, without its spec
file.
"""

import importlib.metadata
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tasks.core.errors import RequestError
from tasks.core.spec.spec import Spec
from tasks.core.tables.columns import Column
from tasks.core.tables.split import Split

METADATA_NAME = "afterfit.json"
MODEL = "model.skops"


@dataclass(frozen=True)
class ModelMetadata:
    """The spec a model was trained by, the features it takes, and the split that kept rows from it.

    `width` is the number of columns that its last step takes, which one-hot encoding can make many
    of a few.
    """

    spec: Spec
    features: tuple[Column, ...]
    split: Split
    scikit_learn: str
    width: int = 0

    def write(self, folder: Path) -> None:
        """Write the card into a model's folder."""
        document = {**asdict(self), "spec": self.spec.model_dump(mode="json")}
        (folder / METADATA_NAME).write_text(json.dumps(document, indent=1), encoding="utf-8")


def read_metadata(folder: Path) -> ModelMetadata:
    """Read the card of a model.

    Raises:
        RequestError: the model has none, or was made with another minor version of scikit-learn.
    """
    try:
        document = json.loads((folder / METADATA_NAME).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RequestError(
            "The model was not registered by afterfit: bring it in with `afterfit register`."
        ) from error
    check_scikit_learn(document["scikit_learn"], scikit_learn_version())
    return ModelMetadata(
        spec=Spec.model_validate(document["spec"]),
        features=tuple(Column(**column) for column in document["features"]),
        split=Split(**{**document["split"], "columns": tuple(document["split"]["columns"])}),
        scikit_learn=document["scikit_learn"],
        width=document.get("width", 0),
    )


def scikit_learn_version() -> str:
    """Give the installed version of scikit-learn."""
    return importlib.metadata.version("scikit-learn")


def check_scikit_learn(made_with: str, installed: str) -> None:
    """Refuse a model made with another minor version: its predictions could differ without a word.

    >>> check_scikit_learn("1.9.0", "1.9.1")
    """
    if made_with.split(".")[:2] != installed.split(".")[:2]:
        raise RequestError(
            f"The model was made with scikit-learn {made_with}, installed is {installed}: train it again with "
            f"`afterfit train SPEC`, or install scikit-learn {made_with}."
        )

"""The identity of a training, and what is kept of its verdict."""

import importlib.metadata
import json
from pathlib import Path

from tasks.core.candidates import SEED
from tasks.core.card import scikit_learn_version
from tasks.core.digest import digest_of
from tasks.core.results import parse_verdict
from tasks.core.spec import Spec
from tasks.core.verdict import Verdict

TRAINING_PART = {"name", "problem", "data", "candidates", "gates"}


def identify_training(spec: Spec, source_identity: str, model: str = "") -> str:
    """Give the training key: what a registered version depends on. `model` is the digest of one fitted elsewhere."""
    return digest_of({
        "spec": spec.model_dump(mode="json", include=TRAINING_PART),
        "source": source_identity,
        "model": model,
        "seed": SEED,
        "afterfit": importlib.metadata.version("afterfit"),
        "scikit_learn": scikit_learn_version(),
    })  # fmt: skip


def read_verdict(folder: Path) -> Verdict:
    """Read the verdict that is stored with a model."""
    return parse_verdict(json.loads((folder / "verdict.json").read_text(encoding="utf-8")))

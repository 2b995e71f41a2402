"""The identity of a training, and what is kept of its verdict."""

import importlib.metadata

from tasks.core.model.metadata import scikit_learn_version
from tasks.core.spec.spec import Spec
from tasks.core.storage.digests import digest_of
from tasks.core.training.candidates import SEED

TRAINING_PART = {"name", "problem", "data", "candidates", "gates"}


def identify_training(spec: Spec, source_identity: str, model: str = "") -> str:
    """Give the training key: what a registered version depends on. `model` is the digest of one
    fitted elsewhere.
    """
    return digest_of(
        {
            "spec": spec.model_dump(mode="json", include=TRAINING_PART),
            "source": source_identity,
            "model": model,
            "seed": SEED,
            "afterfit": importlib.metadata.version("afterfit"),
            "scikit_learn": scikit_learn_version(),
        }
    )

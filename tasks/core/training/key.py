"""The training key: the identity of a training."""

import importlib.metadata

from tasks.core.model.metadata import scikit_learn_version
from tasks.core.spec.spec import Spec
from tasks.core.storage.digests import digest_of
from tasks.core.training.candidates import SEED

TRAINING_PART = {"name", "problem", "data", "candidates", "gates"}


def identify_training(spec: Spec, source_identity: str, model: str = "") -> str:
    """Return the training key: the digest of everything that a registered version depends on.

    Args:
        spec: of which the sections about scoring do not count.
        source_identity: the identity of the data's source.
        model: the digest of a model that was fitted elsewhere.
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

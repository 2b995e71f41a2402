"""Candidates: an estimator, and before it the preparation that its kind of column needs."""

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

from tasks.core.errors import RequestError
from tasks.core.metrics import METRICS, Metric, Problem
from tasks.core.spec.spec import Spec

SEED = 0


def estimator_class(name: str) -> type[Any]:
    """Find a scikit-learn estimator by its full name.

    Raises:
        ValueError: it is none of scikit-learn's; the message names the nearest ones.
    """
    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] != "sklearn":
        raise ValueError(
            f"{name!r} is not a scikit-learn estimator: its full name begins with `sklearn.`"
        )
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):
        found = None
    if not (isinstance(found, type) and hasattr(found, "fit") and hasattr(found, "predict")):
        raise ValueError(f"{name!r} is not an estimator{_nearest(attribute)}")
    return found


def _nearest(attribute: str) -> str:
    from sklearn.utils import all_estimators  # noqa: PLC0415 - imports all of scikit-learn, for one message

    names = {
        name: ".".join(kind.__module__.split(".")[:2])
        for name, kind in all_estimators()
        if hasattr(kind, "predict")
    }
    near = difflib.get_close_matches(attribute, names, n=3)
    return (
        f"; did you mean {' or '.join(f'{names[name]}.{name}' for name in near)}?" if near else ""
    )


def make_estimator(name: str, params: Mapping[str, Any]) -> Any:
    """Construct an estimator, with a fixed seed where it takes chance and none was given.

    Raises:
        ValueError: it is unknown, or has no such parameter.
    """
    kind = estimator_class(name)
    try:
        known = kind().get_params(deep=False)
    except TypeError as error:
        raise ValueError(
            f"{name} needs another estimator inside it, which a spec cannot give"
        ) from error
    for param in params.keys() - known.keys():
        raise ValueError(f"{name} has no parameter {param!r}: it has {', '.join(sorted(known))}")
    seeded = {"random_state": SEED, **params} if "random_state" in known else dict(params)
    return kind(**seeded)


def check_candidates(spec: Spec) -> None:
    """Refuse a spec whose candidates cannot be made, measured or asked for what its scoring needs.

    A spec is checked for its form when it is read; this looks at scikit-learn, and is for those who
    train.

    Raises:
        RequestError: with the field, and what to write instead.
    """
    metric = METRICS[spec.gates.champion.metric]
    for position, candidate in enumerate(spec.candidates):
        try:
            estimator = check_candidate(candidate.estimator, candidate.params, spec.problem, metric)
        except ValueError as error:
            sentence = f"candidates.{position}: {error}"
            raise RequestError(sentence if sentence.endswith("?") else f"{sentence}.") from error
        if spec.scoring.proba and not hasattr(estimator, "predict_proba"):
            raise RequestError(
                f"scoring.proba: {candidate.estimator} gives no probabilities: set it to false."
            )


def check_candidate(name: str, params: Mapping[str, Any], problem: Problem, metric: Metric) -> Any:
    """Make an estimator, and refuse one that does not fit the problem or cannot be measured by the
    metric.

    Raises:
        ValueError: with what to write instead.
    """
    from sklearn.base import is_classifier, is_regressor  # noqa: PLC0415 - a spec without mistakes is read without it

    estimator = make_estimator(name, params)
    fits = is_regressor(estimator) if problem == "regression" else is_classifier(estimator)
    if not fits:
        raise ValueError(f"{name} is not for {problem}")
    if metric.needs_probabilities and not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{name} gives no probabilities: set gates.champion.metric to zero_one_loss"
        )
    return estimator

"""Candidates: the estimators of a spec, found by name and checked before anything is trained."""

import difflib
import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any, cast

from tasks.core.errors import RequestError
from tasks.core.metrics import METRICS, Metric, Problem
from tasks.core.spec.spec import Spec
from tasks.core.training.column_params import check_column_params

SEED = 0
NO_ESTIMATORS = {"datasets", "experimental", "externals"}  # packages without any


def check_candidates(spec: Spec) -> None:
    """Refuse a spec with a candidate that cannot be made, measured, or scored with as it asks.

    The spec's own validation checks its form only; this one imports scikit-learn, so only flows
    and commands that train call it.

    Raises:
        RequestError: with the field at fault, and what to write instead.
    """
    metric = METRICS[spec.gates.champion.metric]
    for position, candidate in enumerate(spec.candidates):
        try:
            estimator = check_candidate(candidate.estimator, candidate.params, spec.problem, metric)
        except ValueError as error:
            end = "" if str(error).endswith("?") else "."
            raise RequestError(f"candidates.{position}: {error}{end}") from error

        if spec.scoring.proba and not hasattr(estimator, "predict_proba"):
            raise RequestError(
                f"scoring.proba: {candidate.estimator} gives no probabilities: set it to false."
            )


def check_candidate(name: str, params: Mapping[str, Any], problem: Problem, metric: Metric) -> Any:
    """Return the estimator of a candidate, not fitted.

    Raises:
        ValueError: it cannot be made, is not for the problem, or gives no probabilities where the
            metric needs them; the message says what to write instead.
    """
    from sklearn.base import is_classifier, is_regressor  # noqa: PLC0415 - slow, for training only

    estimator = make_estimator(name, params)
    suits = {"regression": is_regressor, "classification": is_classifier}[problem]
    if not suits(estimator):
        raise ValueError(f"{name} is not for {problem}")
    if metric.needs_probabilities and not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"{name} gives no probabilities: set gates.champion.metric to zero_one_loss"
        )
    return estimator


def make_estimator(name: str, params: Mapping[str, Any]) -> Any:
    """Construct an estimator; its random state has a fixed seed unless another one is given.

    Raises:
        ValueError: the estimator is unknown, or has no such parameter.
    """
    kind = estimator_class(name)
    try:
        example = kind()
        example.__sklearn_tags__()
    except (TypeError, AttributeError) as error:  # its constructor, or its tags, need another one
        raise ValueError(
            f"{name} needs another estimator inside it, which a spec cannot give"
        ) from error

    known = example.get_params(deep=False)
    for param in params.keys() - known.keys():
        raise ValueError(f"{name} has no parameter {param!r}: it has {', '.join(sorted(known))}")
    try:
        check_column_params(params)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    seed = {"random_state": SEED} if "random_state" in known else {}
    return kind(**{**seed, **params})


def estimator_class(name: str) -> type[Any]:
    """Return the class of a scikit-learn estimator, found by its full name.

    >>> estimator_class("sklearn.linear_model.Ridge").__name__
    'Ridge'

    Raises:
        ValueError: scikit-learn has no such estimator; the message names the nearest ones.
    """
    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] != "sklearn":
        raise ValueError(
            f"{name!r} is not a scikit-learn estimator: its full name begins with `sklearn.`"
        )

    found = getattr(_public_module(module), attribute, None)
    if not _is_estimator(found, module):
        raise ValueError(f"{name!r} is not an estimator{_nearest_estimators(attribute)}")
    return cast("type[Any]", found)


def _is_estimator(found: Any, module: str) -> bool:
    """Return whether something is a class that fits and predicts, of a public module itself."""
    if not isinstance(found, type) or found.__name__.startswith("_"):
        return False
    is_own = found.__module__.startswith(module)
    return is_own and hasattr(found, "fit") and hasattr(found, "predict")


def _public_module(name: str) -> ModuleType | None:
    """Import a module that scikit-learn documents; its tests and private parts stay where they are.

    An import runs what is in the module.
    """
    import sklearn  # noqa: PLC0415 - slow, for training only

    package = name.removeprefix("sklearn.")
    if package not in sklearn.__all__ or package in NO_ESTIMATORS:
        return None
    try:
        return importlib.import_module(name)
    except ImportError:  # it is a function
        return None


def _nearest_estimators(attribute: str) -> str:
    """Return the end of a sentence that names the estimators with the nearest names, if any."""
    from sklearn.utils import all_estimators  # noqa: PLC0415 - imports all of scikit-learn

    full_names = {}
    for name, kind in all_estimators():
        if hasattr(kind, "predict"):
            package = ".".join(kind.__module__.split(".")[:2])
            full_names[name] = f"{package}.{name}"

    near = difflib.get_close_matches(attribute, full_names, n=3)
    if not near:
        return ""
    return f"; did you mean {' or '.join(full_names[name] for name in near)}?"

"""Models on disk: skops files, loaded with our own list of trusted types."""

from pathlib import Path
from typing import Any

import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from tasks.core.errors import RequestError
from tasks.core.model.index_checks import check_indices
from tasks.core.model.trees.checks import check_trees

# What scikit-learn's estimators are made of beyond skops' own defaults. Every one of these was
# read: none runs anything when it is built. A type is added here by review, never by what a model
# file says of itself.
TRUSTED = (
    "functools.partial",  # the function in it is checked by itself
    "numpy.dtype",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogLink",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.AbsoluteError",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfGammaLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.HalfPoissonLoss",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn._loss.loss.PinballLoss",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.metrics._classification.accuracy_score",
    "sklearn.metrics._classification.balanced_accuracy_score",
    "sklearn.metrics._classification.f1_score",
    "sklearn.metrics._classification.log_loss",
    "sklearn.metrics._dist_metrics.ChebyshevDistance64",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._ranking.roc_auc_score",
    "sklearn.metrics._regression.mean_absolute_error",
    "sklearn.metrics._regression.mean_squared_error",
    "sklearn.metrics._regression.r2_score",
    "sklearn.metrics._regression.root_mean_squared_error",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils.validation.check_array",
    "tasks.core.dates.DateParts",
)


def save_pipeline(pipeline: Any, path: Path) -> None:
    """Write a fitted pipeline as skops; the file has no pickle in it."""
    skops.io.dump(pipeline, path)


def load_pipeline(path: Path) -> Any:
    """Load a skops file.

    Raises:
        RequestError: there is none, or as `parse_pipeline` does.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise RequestError(f"There is no model file {path}.") from error
    return parse_pipeline(content, path.name)


def parse_pipeline(content: bytes, name: str) -> Any:
    """Load the content of a skops file of this name.

    Raises:
        RequestError: it is not skops, holds a type that is not trusted, or trees and other arrays
            that point outside themselves.
    """
    pipeline = _read(content, name)

    try:
        # scikit-learn follows the nodes of a tree without looking where they lead.
        check_trees(pipeline)
        check_indices(pipeline)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise RequestError(f"{name} is damaged, do not use it: {error}") from error
    return pipeline


def _read(content: bytes, name: str) -> Any:
    """Read a skops file of trusted types."""
    try:
        return skops.io.loads(content, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        found = _untrusted_types(error)
        raise RequestError(
            f"{name} holds types that are not on afterfit's list: {found}."
        ) from error
    except Exception as error:  # skops raises what its zip, JSON and node readers raise
        reason = str(error) or type(error).__name__
        raise RequestError(f"{name} is not a skops file that can be read: {reason}") from error


def _untrusted_types(error: UntrustedTypesFoundException) -> str:
    """List the types that an error names."""
    types = getattr(error, "untrusted_types", None) or error.args
    return ", ".join(sorted(str(name) for name in types))

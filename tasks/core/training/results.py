"""Results of a training and of a lifecycle."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.evaluation.verdict import Verdict
from tasks.core.scoring.results import Scores

REASON_LENGTH = 500


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline in a file, and the candidate it was made from."""

    candidate: str
    path: str
    seconds: float


@dataclass(frozen=True)
class FailedCandidate:
    """A candidate that could not be fitted, stored or measured, and why.

    `exit_status` is that of a command of which nothing else came.
    """

    candidate: str
    reason: str
    exit_status: int = AfterfitError.exit_status


def describe_failure(candidate: str, error: Exception) -> FailedCandidate:
    """Return what became of a candidate that ended with an error.

    >>> describe_failure("Ridge", MemoryError()).reason
    'Ridge failed: MemoryError.'
    """
    message = " ".join(str(error).split())
    status = AfterfitError.exit_status
    if not isinstance(error, AfterfitError):
        message = f"{candidate} failed: {type(error).__name__}: {message}".rstrip(": .") + "."
    else:
        status = error.exit_status
        if candidate not in message:
            message = f"{candidate}: {message}"
    return FailedCandidate(candidate, message[:REASON_LENGTH], status)


def no_candidate(failed: Sequence[FailedCandidate]) -> AfterfitError:
    """Return the error of a training of which every candidate failed, with each reason."""
    reasons = " ".join(item.reason for item in failed)
    if all(item.exit_status == RequestError.exit_status for item in failed):
        return RequestError(reasons)
    return AfterfitError(reasons)


@dataclass(frozen=True)
class Trained:
    """A judged and registered version; `champion` is the version in use after it, if any.

    `failed` are the candidates that could not be judged beside it. `notes` say what a person should
    know of the columns it was trained on.
    """

    model: str
    version: int
    alias: str | None
    promoted: bool
    model_reused: bool
    verdict: Verdict
    champion: int | None
    failed: tuple[FailedCandidate, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lifecycle:
    """What one run of the lifecycle did; `scores` is None where nothing was scored."""

    trained: Trained
    scores: Scores | None
    flow_run_url: str

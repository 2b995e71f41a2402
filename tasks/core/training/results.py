"""Results of a training and of a lifecycle."""

from dataclasses import dataclass

from tasks.core.evaluation.verdict import Verdict
from tasks.core.scoring.results import Scores


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline in a file, and the candidate it was made from."""

    candidate: str
    path: str
    seconds: float


@dataclass(frozen=True)
class Trained:
    """A judged and registered version; `champion` is the version in use after it, if any."""

    model: str
    version: int
    alias: str | None
    promoted: bool
    model_reused: bool
    verdict: Verdict
    champion: int | None


@dataclass(frozen=True)
class Lifecycle:
    """What one run of the lifecycle did; `scores` is None where nothing was scored."""

    trained: Trained
    scores: Scores | None
    flow_run_url: str

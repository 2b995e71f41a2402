"""Parameters with types: checked before anything runs, a form in the UI, plain arguments in code.

`prefect deployment run` and the UI's form take the same values, and refuse the same mistakes.
"""

from typing import Literal

from prefect import flow, task
from pydantic import BaseModel, Field
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score

from afterfit import make_runner


class Search(BaseModel):
    """What to try, and how to measure it."""

    alphas: list[float] = Field(default=[0.1, 1.0, 10.0], min_length=1)
    folds: int = Field(default=3, ge=2, le=10)
    metric: Literal["r2", "neg_mean_absolute_error"] = "r2"


@task
def measure(alpha: float, search: Search) -> float:
    """Measure one value."""
    X, y = load_diabetes(return_X_y=True)
    model = Ridge(alpha=alpha)
    scores = cross_val_score(model, X, y, cv=search.folds, scoring=search.metric)
    return float(scores.mean())


@flow(task_runner=make_runner())
def find_alpha(search: Search) -> float:
    """Return the best of the values to try."""
    scores = {alpha: measure.submit(alpha, search) for alpha in search.alphas}
    return max(scores, key=lambda alpha: scores[alpha].result())


if __name__ == "__main__":
    print(find_alpha(Search(folds=5)))

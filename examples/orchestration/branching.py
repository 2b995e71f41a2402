"""Branches are `if`, `else` and `try`, and they join again.

What runs depends on results, failures included. A branch that is not taken leaves no trace: there
are no skipped tasks to be reckoned with further down.
"""

from typing import Any

from prefect import flow, task
from prefect.futures import wait
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score

from afterfit import make_runner


@task
def measure(estimator: Any) -> float:
    """Measure a candidate by its mean R2 over three folds."""
    X, y = load_diabetes(return_X_y=True)
    scores = cross_val_score(estimator, X, y, cv=3)
    return float(scores.mean())


@task
def promote(name: str) -> str:
    """Stand in for what a promotion does."""
    return f"promoted {name}"


@task
def alert(problem: str) -> str:
    """Stand in for a message to a person."""
    return f"alerted: {problem}"


@task
def report(outcome: str, scores: dict[str, float]) -> str:
    """Join the branches."""
    return f"{outcome}, {len(scores)} measured"


@flow(task_runner=make_runner())
def judge(candidates: dict[str, Any], needed: float) -> str:
    """Measure all candidates; promote the best that is good enough, else tell somebody."""
    measured = {name: measure.submit(candidate) for name, candidate in candidates.items()}
    wait(list(measured.values()))

    scores = {}
    for name, future in measured.items():
        if future.state.is_completed():
            scores[name] = future.result()

    best = max(scores, key=scores.__getitem__, default=None)
    if best is None:
        outcome = alert.submit("no candidate could be measured")
    elif scores[best] >= needed:
        outcome = promote.submit(best)
    else:
        outcome = alert.submit(f"{best} is the best, and not good enough")
    return report.submit(outcome, scores).result()


CANDIDATES = {"ridge": Ridge(), "mean": DummyRegressor(), "broken": Ridge(alpha=-1.0)}

if __name__ == "__main__":
    print(judge(CANDIDATES, needed=0.3))

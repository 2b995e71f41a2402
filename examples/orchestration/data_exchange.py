"""Data goes from task to task as Python values: a DataFrame, a fitted model, a dict of numbers.

Nothing is written down in between. What is too large for that (a table of many gigabytes) is handed
on as a path, as afterfit's own scoring does.
"""

import pandas as pd
from prefect import flow, task
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from afterfit import make_runner


@task
def read() -> pd.DataFrame:
    """Return a table."""
    return load_iris(as_frame=True).frame


@task
def fit(table: pd.DataFrame) -> LogisticRegression:
    """Return a model fitted on a table."""
    X = table.drop(columns="target")
    return LogisticRegression(max_iter=1000).fit(X, table["target"])


@task
def predict(model: LogisticRegression, table: pd.DataFrame) -> pd.Series:
    """Return the predictions of a model for a table."""
    X = table.drop(columns="target")
    return pd.Series(model.predict(X), index=table.index)


@task
def count(predictions: pd.Series) -> dict[int, int]:
    """Return how many predictions there are of each class."""
    return predictions.value_counts().sort_index().to_dict()


@flow(task_runner=make_runner(workers=2))
def classify() -> dict[int, int]:
    """Read, fit, predict and count; each line hands on what the one before it promised."""
    table = read.submit()
    model = fit.submit(table)
    predictions = predict.submit(model, table)
    return count.submit(predictions).result()


if __name__ == "__main__":
    print(classify())

"""The data decides the shape of the run, which nobody knows before it starts.

There is a fan-out over what is in the data, a fan-out inside that, and loops that end when they
may. A task that waits for tasks of its own keeps no worker from working.
"""

import pandas as pd
from prefect import flow, task
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeRegressor

from afterfit import make_runner

GAIN = 0.01


@task
def read() -> dict[str, pd.DataFrame]:
    """Return a table for each group there is."""
    bunch = load_iris(as_frame=True)
    groups = bunch.frame.groupby(bunch.target_names[bunch.target])
    return {name: group.drop(columns="target") for name, group in groups}


@task
def measure(table: pd.DataFrame, target: str, depth: int) -> float:
    """Measure a tree that tells one column from the others."""
    tree = DecisionTreeRegressor(max_depth=depth, random_state=0)
    X = table.drop(columns=target)
    scores = cross_val_score(tree, X, table[target], cv=3)
    return float(scores.mean())


@task(task_run_name="deepen {target}")
def deepen(table: pd.DataFrame, target: str) -> int:
    """Try deeper trees for as long as that helps, and return the depth.

    It is a loop of tasks inside a task.
    """
    depth = 1
    best = measure.submit(table, target, depth).result()
    while True:
        score = measure.submit(table, target, depth + 1).result()
        if score <= best + GAIN:
            return depth
        depth += 1
        best = score


@task(task_run_name="study {name}")
def study(name: str, table: pd.DataFrame) -> dict[str, int]:
    """Fan out over the columns of a group: tasks inside a task inside a flow."""
    petals = [column for column in table.columns if column.startswith("petal")]
    depths = {column: deepen.submit(table, column) for column in petals}

    found = {}
    for column, depth in depths.items():
        found[f"{name}, {column}"] = depth.result()
    return found


@flow(task_runner=make_runner())
def study_all() -> dict[str, int]:
    """Fan out over the groups that the data holds."""
    groups = read.submit().result()
    studies = [study.submit(name, table) for name, table in groups.items()]

    depths: dict[str, int] = {}
    for future in studies:
        depths.update(future.result())
    return depths


if __name__ == "__main__":
    print(study_all())

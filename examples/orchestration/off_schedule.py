"""A run at any moment, about any stretch of time, with or without a schedule.

The window is a parameter, never "now": the same call today and next year is about the same day. To
give it a schedule, deploy it with one; to trigger it by hand or from other code, deploy it with
none, or call it, as here.
"""

from datetime import date

import numpy as np
from prefect import flow, task

from afterfit import make_runner


@task(task_run_name="read {window}")
def read_day(window: date) -> list[int]:
    """Stand in for a table that holds one partition a day."""
    chance = np.random.default_rng(window.toordinal())
    return chance.integers(0, 100, size=24).tolist()


@task
def add_up(hours: list[int]) -> int:
    """Sum a day up."""
    return sum(hours)


@flow(task_runner=make_runner(), flow_run_name="sales of {window}")
def sum_sales(window: date) -> int:
    """Sum up the sales of one day."""
    hours = read_day.submit(window)
    return add_up.submit(hours).result()


if __name__ == "__main__":
    print(sum_sales(date(2024, 2, 29)))

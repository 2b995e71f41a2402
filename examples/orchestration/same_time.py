"""Runs of one flow that start at the same moment: nothing tells them apart but their own ids.

No run waits for another, and no date has to be made up for it. A limit, where one is wanted, is a
setting of the deployment (`concurrency_limit`), not a property of time.
"""

from concurrent.futures import ThreadPoolExecutor

from prefect import flow, task
from prefect.runtime import flow_run

from afterfit import make_runner


@task
def score(customer: str) -> int:
    """Stand in for a model."""
    return len(customer)


@flow(task_runner=make_runner())
def score_customer(customer: str) -> tuple[str, int]:
    """Score one customer; say which run did it."""
    return flow_run.get_id(), score.submit(customer).result()


def score_all(customers: list[str]) -> list[tuple[str, int]]:
    """Start a run for each customer, all at once."""
    with ThreadPoolExecutor(len(customers)) as threads:
        return list(threads.map(score_customer, customers))


if __name__ == "__main__":
    print(score_all(["Ada", "Grace", "Ada"]))

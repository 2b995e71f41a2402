"""Many fast tasks: each of a thousand takes milliseconds.

Each is a run of its own in the UI, with its states. `workers=2` starts two worker processes;
without it tasks run on threads of the flow's own process.
"""

from prefect import flow, task

from afterfit import make_runner


@task
def square(number: int) -> int:
    """Do next to nothing."""
    return number * number


@task
def add_up(numbers: list[int]) -> int:
    """Reduce what has been mapped."""
    return sum(numbers)


@flow(task_runner=make_runner(workers=2))
def sum_of_squares(count: int) -> int:
    """Add up the squares of so many numbers."""
    squares = square.map(range(count))
    return add_up.submit(squares).result()


if __name__ == "__main__":
    print(sum_of_squares(1000))

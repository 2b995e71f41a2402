"""Advice: what would make the next run faster."""

WORTH_SECONDS = 30.0  # worker processes take some six seconds to start
ONE_CORE = (0.8, 1.3)  # of processor time for each second, where threads wait for Python's lock


def advise_processes(seconds: float, cpu_seconds: float, threads: int) -> tuple[str, ...]:
    """Advise worker processes where several threads have used one core.

    A model that holds Python's lock while it predicts, such as a text vectorizer, runs on one core
    at a time in each process.

    Args:
        seconds: how long a run took.
        cpu_seconds: the processor time that its process used.
        threads: how many of its threads scored.

    >>> advise_processes(60.0, 62.0, threads=2)
    ('2 threads used one core: --workers 2 may be faster',)
    >>> advise_processes(60.0, 110.0, threads=2), advise_processes(3.0, 3.0, threads=2)
    ((), ())
    """
    if threads <= 1 or seconds < WORTH_SECONDS:
        return ()

    lowest, highest = ONE_CORE
    if not lowest <= cpu_seconds / seconds <= highest:
        return ()
    return (f"{threads} threads used one core: --workers {threads} may be faster",)

"""Where tasks run, as one value."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.runner.make import check_workers, make_runner, parallelism

if TYPE_CHECKING:
    from tasks.runner.dask_runner import DaskRunner


@dataclass(frozen=True)
class Compute:
    """Worker processes of this machine, or a Dask cluster, or else threads of this process.

    `workers` is the number of processes, `cluster` the address of a scheduler. `threads` is the
    number of threads, by default one on each core.

    Raises:
        RequestError: there cannot be so many, or the address is none.
    """

    workers: int | None = None
    cluster: str | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        check_workers(self.workers, self.cluster)

    @property
    def is_this_process(self) -> bool:
        """Whether tasks run on threads of this process."""
        return not (self.workers or self.cluster)

    @property
    def parallelism(self) -> int:
        """How many tasks run side by side, where that is known: not on a cluster."""
        return self.workers or self.threads or parallelism()

    def runner(self, *, reads: Iterable[str] = (), writes: str = "") -> "DaskRunner":
        """Make a task runner; nothing is started before the first task is submitted.

        Args:
            reads: the files that workers of a cluster will read.
            writes: a folder or URL that they will write to.
        """
        return make_runner(
            self.workers, self.cluster, threads=self.threads, reads=reads, writes=writes
        )

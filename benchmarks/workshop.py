"""The workshop: a home with servers, room for tables, and the size that is asked for."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.home import Home, open_home
from benchmarks.result import RESULTS

FEWEST_ROWS = 20_000


@dataclass(eq=False)
class Workshop:
    """A folder for tables, and one in it for all else.

    The home is opened when the first benchmark needs it.
    """

    folder: Path
    scale: float = 1.0
    runs: int | None = None
    stack: ExitStack = field(default_factory=ExitStack)
    _home: Home | None = None

    @property
    def scratch(self) -> Path:
        """The folder of what is always deleted at the end: the home, models, outputs."""
        return self.folder / "scratch"

    @property
    def home(self) -> Home:
        """The one home of all benchmarks."""
        if self._home is None:
            self._home = self.stack.enter_context(open_home(self.scratch / "home"))
        return self._home

    def rows(self, full: int) -> int:
        """Scale a number of rows."""
        if self.scale == 1:
            return full
        return max(FEWEST_ROWS, int(full * self.scale))


@contextmanager
def open_workshop(
    scale: float, runs: int | None, *, keep: bool, folder: Path = RESULTS / "data"
) -> Iterator[Workshop]:
    """Open a workshop.

    Its tables are deleted at the end, unless they are to be kept for the next time.
    """
    with ExitStack() as stack:
        workshop = Workshop(folder, scale, runs, stack)
        shutil.rmtree(workshop.scratch, ignore_errors=True)  # of a run that was killed

        deleted = workshop.scratch if keep else folder
        stack.callback(shutil.rmtree, deleted, ignore_errors=True)
        yield workshop

"""A scratch home of afterfit: its servers start once, and are stopped whatever happens."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import Command, take

AFTERFIT = Path(sys.executable).with_name("afterfit")
# Above the ports that a person's own servers have; if these are taken, afterfit takes the next.
PORTS = {"AFTERFIT_PREFECT_PORT": "24200", "AFTERFIT_MLFLOW_PORT": "25500"}
# Empty is as good as unset: nobody else's servers are used.
NAMED = {"PREFECT_API_URL": "", "MLFLOW_TRACKING_URI": "", "PREFECT_PROFILES_PATH": os.devnull}


@dataclass(frozen=True)
class Home:
    """A folder that afterfit calls its home."""

    folder: Path

    def afterfit(self, *arguments: str | Path) -> Command:
        """Make a command of afterfit in this home."""
        variables = {"AFTERFIT_HOME": str(self.folder), **PORTS, **NAMED}
        return Command([AFTERFIT, *arguments], variables)


@contextmanager
def open_home(folder: Path) -> Iterator[Home]:
    """Make an empty home with running servers; afterwards they are stopped, and it is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    home = Home(folder)
    try:
        take(home.afterfit("up"))
        yield home
    finally:
        take(home.afterfit("down"))
        shutil.rmtree(folder, ignore_errors=True)

"""The entrance of the `afterfit` command."""

import gc
import signal
import sys

from deployments.cli.deadline import set_deadline
from deployments.cli.packages import check_own_packages
from deployments.cli.process import INTERRUPTED, leave


def main(tokens: list[str] | None = None) -> None:
    """Run the command line.

    The exit status is 0 done, 1 failed, 2 the request is wrong, 3 the gates refused,
    130 interrupted.
    """
    # Imports alone make objects by the hundred thousand that live as long as the process does:
    # looking through them again and again, and freeing them one by one at the end, took two seconds
    # of a short command's six.
    gc.set_threshold(50_000, 20, 100)
    check_own_packages()
    from deployments.cli.exit_status import run_command  # noqa: PLC0415 - `tasks` is ours by now
    from deployments.cli.logs import write_traceback  # noqa: PLC0415 - the same

    gc.freeze()  # else the first look at what is imported by now takes 30 ms

    sys.excepthook = write_traceback
    signal.signal(signal.SIGTERM, _interrupt)
    set_deadline()
    try:
        leave(run_command(tokens))
    except KeyboardInterrupt:  # once more, on the way out
        leave(INTERRUPTED, at_once=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt("Terminated")

"""The entrance: run the command line, and turn what happens into an exit status."""

import gc
import signal
import sys
from typing import Any

from cyclopts import CycloptsError

from deployments.cli import release, score, servers, train  # noqa: F401 - which register their commands
from deployments.cli.app import app
from deployments.cli.console import PrefectGoneError, UnexpectedError
from deployments.cli.packages import check_own_packages
from deployments.cli.process import leave, say

INTERRUPTED = 130


def main(tokens: list[str] | None = None) -> None:
    """Run the command line; the exit status is 0 done, 1 failed, 2 the request is wrong, 3 the
    gates refused.
    """
    # Imports alone make objects by the hundred thousand that live as long as the process does:
    # looking through
    # them again and again, and freeing them one by one at the end, took two seconds of a short
    # command's six.
    gc.set_threshold(50_000, 20, 100)
    check_own_packages()
    signal.signal(signal.SIGTERM, _terminated)
    leave(_status(tokens))


def _terminated(*_: object) -> None:
    raise KeyboardInterrupt("Terminated")


def _status(tokens: list[str] | None) -> int:
    from tasks.core.errors import AfterfitError

    try:
        done: Any = app(
            tokens, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except CycloptsError as error:
        return say(
            f"{error} See `{' '.join(['afterfit', *(error.command_chain or ())])} --help`.", 2
        )
    except AfterfitError as error:
        return say(str(error), error.exit_status)
    except PrefectGoneError as error:
        leave(say(str(error), 1), at_once=True)
    except (UnexpectedError, OSError) as error:
        return say(str(error), 1)
    except Exception as error:  # the libraries of object stores raise what they like
        if "--verbose" in (tokens or sys.argv):
            raise
        return say(
            f"{type(error).__name__}: {str(error).strip().rstrip('.')}. Use --verbose to see where.",
            1,
        )
    except KeyboardInterrupt as stopped:
        return say(
            f"{str(stopped) or 'Interrupted'}: run the same command again.",
            INTERRUPTED,
        )
    return int(done or 0)

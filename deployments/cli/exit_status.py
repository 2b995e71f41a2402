"""Run a command, and turn its outcome into an exit status."""

import sys
from collections.abc import Sequence
from typing import Any

from cyclopts import CycloptsError

from deployments.cli.app import make_app
from deployments.cli.failures import PrefectGoneError, UnexpectedError
from deployments.cli.process import INTERRUPTED, leave, say
from tasks.core.errors import AfterfitError, RequestError
from tasks.core.storage.secrets import check_no_secrets

FAILED = 1
WRONG_REQUEST = 2


def check_tokens(tokens: Sequence[str]) -> None:
    """Refuse what a run cannot have as a parameter: a secret, or bytes that are no text.

    Raises:
        RequestError: a URL holds a secret, or the name of a file is not UTF-8.
    """
    for token in tokens:
        if any("\ud800" <= letter <= "\udfff" for letter in token):
            raise RequestError(f"{token!r} is not UTF-8, as names must be here: rename it.")
        check_no_secrets(token)


def run_command(tokens: list[str] | None = None) -> int:
    """Run a command and return its exit status; a failure is told in one sentence.

    Args:
        tokens: the arguments of the command line, by default those of this process.
    """
    app = make_app()
    try:
        check_tokens(tokens or sys.argv[1:])
        status: Any = app(
            tokens, exit_on_error=False, print_error=False, result_action="return_value"
        )
    except CycloptsError as error:
        command = " ".join(["afterfit", *(error.command_chain or ())])
        return say(f"{error} See `{command} --help`.", WRONG_REQUEST)
    except AfterfitError as error:
        return say(str(error), error.exit_status)
    except PrefectGoneError as error:
        leave(say(str(error), FAILED), at_once=True)
    except (UnexpectedError, OSError) as error:
        return say(str(error), FAILED)
    except Exception as error:  # the libraries of object stores raise what they like
        if "--verbose" in (tokens or sys.argv):
            raise
        said = str(error).strip().rstrip(".")
        return say(f"{type(error).__name__}: {said}. Use --verbose to see where.", FAILED)
    except KeyboardInterrupt as stopped:
        return say(f"{str(stopped) or 'Interrupted'}: run the same command again.", INTERRUPTED)

    return int(status or 0)

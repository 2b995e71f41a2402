"""Failures that are not the user's, each told in one sentence."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deployments.servers.local import Servers, Status

REASON_CHARACTERS = 300


class UnexpectedError(Exception):
    """A failure that is not the user's."""


class PrefectGoneError(UnexpectedError):
    """The Prefect server is gone; pending events cannot be delivered."""


def reason_of_failure(error: Exception, servers: "Servers", status: "Status") -> UnexpectedError:
    """Return the error that explains a failure in one sentence.

    A server that is gone is named, for then nothing else matters.

    Args:
        error: what was raised.
        servers: the servers that were used.
        status: the state of the servers after the failure.
    """
    prefect, mlflow = status["prefect"], status["mlflow"]
    if not prefect["running"]:
        return PrefectGoneError(_gone("Prefect", prefect["url"]))
    if not mlflow["running"]:
        return UnexpectedError(_gone("MLflow", mlflow["url"]))

    name = type(error).__name__
    reason = _first_line(error).rstrip(".")
    page = f"{servers.prefect_ui_url}/runs"
    return UnexpectedError(
        f"{name}: {reason}. The run's page has the details: {page} (or use --verbose)."
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    if not lines:
        return ""
    return lines[0][:REASON_CHARACTERS]


def _gone(name: str, url: str | None) -> str:
    return f"The {name} server at {url} does not answer any more: run the command again."

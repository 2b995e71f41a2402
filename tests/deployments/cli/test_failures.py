"""Failures that are not the user's."""

import pytest

from deployments.cli.exit_status import run_command
from deployments.cli.failures import PrefectGoneError, UnexpectedError, reason_of_failure
from deployments.servers.local import Servers

SERVERS = Servers("http://prefect/api", "http://prefect", "http://mlflow", True, True)
DETAILS = "The run's page has the details: http://prefect/runs (or use --verbose)."
GONE = "server at {} does not answer any more: run the command again."


@pytest.mark.parametrize(
    ("prefect_runs", "mlflow_runs", "kind", "sentence"),
    [
        (
            True,
            True,
            UnexpectedError,
            f"ValueError: no such thing. {DETAILS}",
        ),
        (False, True, PrefectGoneError, f"The Prefect {GONE.format('http://prefect')}"),
        (True, False, UnexpectedError, f"The MLflow {GONE.format('http://mlflow')}"),
        (False, False, PrefectGoneError, f"The Prefect {GONE.format('http://prefect')}"),
    ],
)
def test_a_failure_names_the_server_that_is_gone_else_the_page_of_the_run(
    prefect_runs, mlflow_runs, kind, sentence
):
    status = {
        "prefect": {"url": "http://prefect", "running": prefect_runs},
        "mlflow": {"url": "http://mlflow", "running": mlflow_runs},
    }
    error = reason_of_failure(ValueError("\nno such thing.\nSecond line."), SERVERS, status)
    assert type(error) is kind
    assert str(error) == sentence


def test_an_error_of_a_stores_own_library_is_told_in_one_sentence(monkeypatch, capsys):
    def fail(_):
        raise RuntimeError("Unable to locate\ncredentials.")

    monkeypatch.setattr("tasks.core.output.verify.verify_output", fail)
    assert run_command(["verify", "s3://bucket/scores"]) == 1
    assert capsys.readouterr().err == (
        "afterfit: RuntimeError: Unable to locate credentials. Use --verbose to see where.\n"
    )
    with pytest.raises(RuntimeError):
        run_command(["verify", "s3://bucket/scores", "--verbose"])

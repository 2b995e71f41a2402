"""Batch scoring while the servers of Prefect and MLflow are down, hung, or die under it."""

import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

AFTERFIT = str(Path(sys.executable).with_name("afterfit"))
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens there


@contextlib.contextmanager
def _mute_server():
    """Listen, accept, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []
        thread = threading.Thread(target=lambda: _accept(server, kept), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in kept:
            connection.close()


def _accept(server, kept):
    with contextlib.suppress(OSError):
        while True:
            kept.append(server.accept()[0])


@pytest.mark.parametrize("hung", [False, True], ids=["down", "hung"])
def test_a_registry_that_does_not_answer_is_named_at_once(
    champion, make_source, start, laws, tmp_path, hung
):
    """MLflow, down or hung, does not keep a run waiting.

    The run says so in one sentence within 15 s, and nothing is begun.
    """
    with _mute_server() if hung else contextlib.nullcontext(NOWHERE) as url:
        began = time.monotonic()
        run = start(champion, make_source(0.01).path, tmp_path / "out", MLFLOW_TRACKING_URI=url)
        laws.failed(run.wait(), url, "MLFLOW_TRACKING_URI", "does not answer")
    assert time.monotonic() - began < 15
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Variables of a home with servers of its own that may be killed, and with a slow model."""
    folder = tmp_path_factory.mktemp("own")
    chance = random.Random(os.getpid())  # noqa: S311 - other homes of this machine take other ports
    ports = {
        f"AFTERFIT_{name}_PORT": str(chance.randrange(20_000, 30_000))
        for name in ("PREFECT", "MLFLOW")
    }
    named = dict.fromkeys(["PREFECT_API_URL", "MLFLOW_TRACKING_URI", "PREFECT_HOME"])
    variables = {"AFTERFIT_HOME": str(folder / "home"), **ports, **named}
    environment = {
        name: value for name, value in {**os.environ, **variables}.items() if value is not None
    }

    def afterfit(*arguments):
        done = subprocess.run(
            [AFTERFIT, *arguments], env=environment, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    yield folder, variables, afterfit
    afterfit("down", "--json")


@pytest.mark.slow
def test_a_run_whose_registry_dies_after_the_model_was_resolved_is_not_concerned(
    own, make_training, make_source, start, laws, tmp_path
):
    """Scoring needs MLflow for nothing but to find and fetch the model, once."""
    folder, variables, afterfit = own
    afterfit("train", str(make_training(folder, "own", "sklearn.svm.SVR", epsilon=0.15)), "--json")
    source, output = make_source(8), tmp_path / "out"
    run = start("own", source.path, output, **variables)
    assert run.await_records(1)
    os.kill(afterfit("status", "--json")["mlflow"]["pid"], signal.SIGKILL)
    laws.finished(run.wait(), output, source.ids)
    run.assert_gone()


@pytest.mark.slow
def test_a_run_whose_prefect_server_dies_says_so_and_keeps_what_is_done(
    own, make_training, make_source, start, laws, tmp_path
):
    """The run ends with one sentence.

    The same command again starts the server anew and reuses the finished parts.
    """
    folder, variables, afterfit = own
    afterfit("train", str(make_training(folder, "own", "sklearn.svm.SVR", epsilon=0.15)), "--json")
    source, output = make_source(8), tmp_path / "out"
    run = start("own", source.path, output, **variables)
    assert run.await_records(2)
    os.kill(afterfit("status", "--json")["prefect"]["pid"], signal.SIGKILL)
    ended = run.wait(seconds=300)
    laws.unchanged(output)
    answer = afterfit("score", "own", str(source.path), str(output), "--json")
    assert answer["rows_reused"] >= 2 * len(source.ids) / 8
    laws.alone(output, source.ids)
    laws.failed(ended, "The Prefect server", "does not answer any more: run the command again")


@pytest.mark.slow
def test_a_run_outlives_a_prefect_server_that_is_back_after_ten_seconds(
    own, make_training, make_source, start, laws, tmp_path
):
    """The server dies and is started again: the run ends as if nothing had been."""
    folder, variables, afterfit = own
    afterfit("train", str(make_training(folder, "own", "sklearn.svm.SVR", epsilon=0.15)), "--json")
    source, output = make_source(8), tmp_path / "out"
    run = start("own", source.path, output, **variables)
    assert run.await_records(2)
    os.kill(afterfit("status", "--json")["prefect"]["pid"], signal.SIGKILL)
    time.sleep(10)
    afterfit("up", "--json")
    laws.finished(run.wait(), output, source.ids)
    run.assert_gone()


@pytest.mark.slow
def test_a_registry_that_hangs_after_the_model_was_resolved_is_not_concerned(
    own, make_training, make_source, start, laws, tmp_path
):
    """MLflow is stopped in the middle of a run, and goes on later."""
    folder, variables, afterfit = own
    afterfit("train", str(make_training(folder, "own", "sklearn.svm.SVR", epsilon=0.15)), "--json")
    source, output = make_source(8), tmp_path / "out"
    run = start("own", source.path, output, **variables)
    assert run.await_records(1)
    with _stopped(afterfit("status", "--json")["mlflow"]["pid"]):
        laws.finished(run.wait(), output, source.ids)
    run.assert_gone()


@contextlib.contextmanager
def _stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.slow
def test_a_run_outlives_half_a_minute_of_a_locked_prefect_database(
    own, make_training, make_source, start, laws, tmp_path
):
    """Another program holds the SQLite file of the embedded server for writing."""
    folder, variables, afterfit = own
    afterfit("train", str(make_training(folder, "own", "sklearn.svm.SVR", epsilon=0.15)), "--json")
    source, output = make_source(8), tmp_path / "out"
    run = start("own", source.path, output, **variables)
    assert run.await_records(1)
    database = sqlite3.connect(
        folder / "home" / "prefect" / "prefect.db", isolation_level=None, timeout=60
    )
    with contextlib.closing(database):
        database.execute("BEGIN IMMEDIATE")
        time.sleep(30)
        database.execute("ROLLBACK")
    laws.finished(run.wait(), output, source.ids)
    run.assert_gone()

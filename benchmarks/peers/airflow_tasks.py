"""Run many no-op tasks by dynamic mapping in Airflow: `airflow_tasks.py COUNT`; prints the seconds.

The executor is its LocalExecutor. They are counted from the start of the first task to the end of
the last one, by Airflow's own database; its servers (API, scheduler, DAG processor) have started,
and have run one DAG before. As many tasks run at once as we have workers.
"""

import contextlib
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

AIRFLOW = str(Path(sys.executable).with_name("airflow"))
AT_ONCE = 2
HANGS = 1800.0  # seconds
LOOK_SECONDS = 0.5
SERVERS = ("api-server", "scheduler", "dag-processor")
DAG = """
from airflow.sdk import dag, task

@task
def no_op(number):
    return number

@dag(dag_id="count_{count}", schedule=None, catchup=False, max_active_tasks={at_once})
def whole():
    no_op.expand(number=list(range({count})))

whole()
"""
TIMES = "SELECT state, start_date, end_date FROM task_instance WHERE dag_id = ?"


def settings(home: Path) -> dict[str, str]:
    """Return Airflow's settings: local tasks, a database of its own, all servers on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])

    return {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        # its servers start others
        "PATH": f"{Path(AIRFLOW).parent}{os.pathsep}{os.environ['PATH']}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(AT_ONCE),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }


def airflow(variables: dict[str, str], *arguments: str) -> None:
    """Run a command of Airflow."""
    subprocess.run([AIRFLOW, *arguments], env=variables, check=True, stdout=sys.stderr)


@contextlib.contextmanager
def servers(variables: dict[str, str]) -> Iterator[None]:
    """Start Airflow's servers, and stop them."""
    started = [start(name, variables) for name in SERVERS]
    try:
        yield
    finally:
        for server in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
        for server in started:
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)


def start(name: str, variables: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a server of Airflow in a process group of its own."""
    return subprocess.Popen(
        [AIRFLOW, name], env=variables, stdout=sys.stderr, start_new_session=True
    )


def took(database: Path, count: int) -> float | None:
    """Return the seconds from the first start to the last end; `None` while not all are done."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(TIMES, (f"count_{count}",)).fetchall()

    states = [state for state, _, _ in rows]
    if "failed" in states:
        raise RuntimeError("a task failed")
    if len(states) < count or set(states) != {"success"}:
        return None

    first = min(datetime.fromisoformat(start) for _, start, _ in rows)
    last = max(datetime.fromisoformat(end) for _, _, end in rows)
    return (last - first).total_seconds()


def trigger(variables: dict[str, str], dag: str) -> bool:
    """Trigger a DAG; return whether it was there, for one that has not been parsed yet is not."""
    command = [AIRFLOW, "dags", "trigger", dag]
    done = subprocess.run(command, env=variables, stdout=sys.stderr, check=False)
    return done.returncode == 0


def run(variables: dict[str, str], count: int) -> float:
    """Trigger a DAG of so many tasks, and wait for it."""
    dag = f"count_{count}"
    database = Path(variables["AIRFLOW_HOME"]) / "airflow.db"
    deadline = time.monotonic() + HANGS

    while not trigger(variables, dag):
        time.sleep(LOOK_SECONDS)
    while (seconds := took(database, count)) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{dag} did not end")
        time.sleep(LOOK_SECONDS)
    return seconds


def main(count: int) -> None:
    """Set everything up, run one task, and then all of them."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "dags").mkdir()
        for tasks in (1, count):
            dag = DAG.format(count=tasks, at_once=AT_ONCE)
            (home / "dags" / f"count_{tasks}.py").write_text(dag)

        variables = settings(home)
        airflow(variables, "db", "migrate")
        with servers(variables):
            run(variables, 1)
            print(run(variables, count))


if __name__ == "__main__":
    main(int(sys.argv[1]))

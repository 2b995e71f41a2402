"""Check before work begins whether a cluster that somebody else has started can do it."""

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from distributed import Client
from prefect.settings import PREFECT_API_URL

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.storage.files import delete, write_whole
from tasks.core.storage.location import join
from tasks.runner.messages import topic_of
from tasks.runner.reach import EnvironmentPlugin, code_digest, probe, size_of

PACKAGES_THAT_MUST_MATCH = (
    "afterfit",
    "python",
    "prefect",
    "dask",
    "distributed",
    "cloudpickle",
    "scikit-learn",
    "numpy",
    "pandas",
    "pyarrow",
)
WORKER_SECONDS = (
    120.0  # how long a first worker is waited for: a cluster may have been asked for one just now
)
LOOKED_AT = 1000  # of a source of more files, so many are looked at


@dataclass(frozen=True)
class Reach:
    """What every worker must reach under the name it has here: files to read, and a folder or URL
    to write to.
    """

    reads: tuple[str, ...] = ()
    writes: str = ""


# Checking


def check_cluster(client: Client, reach: Reach) -> None:
    """Check a cluster before work starts, and name the servers to its workers.

    1. wait until it has a worker;
    2. hold the versions of its scheduler and workers against ours, then the code of the package
       itself;
    3. probe whether each worker reaches the data and the folders of the run;
    4. put the addresses of the servers into the environment of its workers, of those too that come
       later.

    Raises:
        AfterfitError: it has no worker.
        RequestError: with what differs, and where.
    """
    scheduler: str = client.scheduler_info()["address"]
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError as error:
        raise AfterfitError(
            f"The Dask scheduler at {scheduler} has had no worker for {WORKER_SECONDS:.0f} s: start some."
        ) from error
    found: Any = client.get_versions(packages=list(PACKAGES_THAT_MUST_MATCH))
    ours = found["client"]["packages"]
    check_versions(f"The scheduler {scheduler}", ours, found["scheduler"]["packages"])
    for address, theirs in found["workers"].items():
        check_versions(f"The worker {address}", ours, theirs["packages"])
    check_code(f"The scheduler {scheduler}", _answer_of_scheduler(client))
    for address, digest in client.run(code_digest, on_error="return").items():
        check_code(f"The worker {address}", digest)
    check_reach(client, reach)
    client.register_plugin(EnvironmentPlugin(f"{topic_of(client.id)}-servers", servers()))


def check_versions(
    where: str, ours: Mapping[str, str | None], theirs: Mapping[str, str | None]
) -> None:
    """Refuse a scheduler or worker without the package, or with other versions of what it shares
    with us.

    Raises:
        RequestError: it names each package, with both versions.

    >>> ours = {"afterfit": "1.0", "numpy": "2.4.0"}
    >>> check_versions("The worker tcp://10.0.0.7:4000", ours, ours | {"numpy": "2.1.0"})
    Traceback (most recent call last):
        ...
    tasks.core.errors.RequestError: The worker tcp://10.0.0.7:4000 has numpy 2.1.0 (here 2.4.0): ...
    """
    if not theirs.get("afterfit"):
        raise RequestError(
            f"{where} has no afterfit: install requirements.lock and then the package, as deployments/dask/Dockerfile "
            "does, into the environment it is started from."
        )
    here, there = _compared(ours), _compared(theirs)
    differing = [
        f"{name} {there[name]} (here {here[name]})" for name in here if there[name] != here[name]
    ]
    if differing:
        raise RequestError(
            f"{where} has {', '.join(differing)}: install the same on all hosts, from requirements.lock."
        )


def _compared(packages: Mapping[str, str | None]) -> dict[str, str]:
    """Give the versions that must be the same; of Python the first two numbers count."""
    versions = {name: packages.get(name) or "missing" for name in PACKAGES_THAT_MUST_MATCH}
    return versions | {"python": ".".join(versions["python"].split(".")[:2])}


def _answer_of_scheduler(client: Client) -> Any:
    try:
        return client.run_on_scheduler(code_digest)  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - whatever the scheduler raised is its answer, as it is for workers
        return error


def check_code(where: str, digest: str | Exception) -> None:
    """Refuse a scheduler or worker that cannot import the package, or has other code of the same
    version.

    Raises:
        RequestError: it says which.
    """
    if isinstance(digest, Exception):
        raise RequestError(
            f"{where} cannot import afterfit's `flows` and `tasks` ({type(digest).__name__}: {digest}): start it from "
            "the environment they are installed in, with PYTHONSAFEPATH=1."
        )
    if digest != code_digest():
        raise RequestError(
            f"{where} has other code of afterfit than this side: install the same on all hosts."
        )


# The servers


def servers() -> dict[str, str]:
    """Name the servers of this flow: those that are known."""
    named = {
        "PREFECT_API_URL": PREFECT_API_URL.value(),
        "MLFLOW_TRACKING_URI": os.environ.get("MLFLOW_TRACKING_URI"),
    }
    return {variable: url for variable, url in named.items() if url}


# The data


def check_reach(client: Client, reach: Reach) -> None:
    """Refuse a worker that does not see the files it will read, or cannot write where it must.

    A file must have the size it has here; a folder must show a file just written here, and take
    another.

    Raises:
        RequestError: it names the worker and the file or folder.
    """
    sizes = {path: size_of(path) for path in reach.reads[:LOOKED_AT]}
    with _token(reach.writes) as token:
        answers = client.run(partial(probe, sizes, reach.writes, token), on_error="return")
    for address, answer in answers.items():
        if answer:
            raise RequestError(
                f"The worker {address} {answer}: every host must have the data, the outputs and AFTERFIT_HOME under "
                "the same path as this one, from shared storage."
            )


@contextmanager
def _token(folder: str) -> Iterator[str]:
    name = f".reach-{uuid.uuid4().hex}" if folder else ""
    if not folder:
        yield name
        return
    write_whole(join(folder, name), name.encode())
    try:
        yield name
    finally:
        delete(join(folder, name))

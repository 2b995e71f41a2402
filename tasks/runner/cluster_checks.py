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
WORKER_SECONDS = 120.0  # how long a first worker is waited for: it may have been asked for just now
FILES_CHECKED = 1000  # of a source of more files, so many are checked


@dataclass(frozen=True)
class Reach:
    """What every worker must reach under the name it has here.

    `reads` are files; `writes` is a folder or URL.
    """

    reads: tuple[str, ...] = ()
    writes: str = ""


def check_cluster(client: Client, reach: Reach, worker_seconds: float = WORKER_SECONDS) -> None:
    """Check a cluster before work starts, and name the servers to its workers.

    1. wait until it has a worker;
    2. compare the versions of its scheduler and workers with ours, then the package's own code;
    3. probe whether each worker reaches the data and the folders of the run;
    4. put the addresses of the servers into the environment of its workers, also of later ones.

    Raises:
        AfterfitError: it has no worker.
        RequestError: with what differs, and where.
    """
    scheduler = str(client.scheduler_info()["address"])
    _wait_for_worker(client, scheduler, worker_seconds)
    _compare_versions(client, scheduler)
    _compare_code(client, scheduler)
    check_reach(client, reach)

    name = f"{topic_of(client.id)}-servers"
    plugin = EnvironmentPlugin(name, servers())
    client.register_plugin(plugin)


def _wait_for_worker(client: Client, scheduler: str, seconds: float) -> None:
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError as error:
        raise AfterfitError(
            f"The Dask scheduler at {scheduler} has had no worker for {seconds:.0f} s: start some."
        ) from error


# Versions


def _compare_versions(client: Client, scheduler: str) -> None:
    found: Any = client.get_versions(packages=list(PACKAGES_THAT_MUST_MATCH))
    ours = found["client"]["packages"]
    theirs = found["scheduler"]["packages"]
    check_versions(f"The scheduler {scheduler}", ours, theirs)

    for address, versions in found["workers"].items():
        theirs = versions["packages"]
        check_versions(f"The worker {address}", ours, theirs)


def check_versions(
    where: str, ours: Mapping[str, str | None], theirs: Mapping[str, str | None]
) -> None:
    """Refuse a scheduler or worker without the package, or with other versions than ours.

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
            f"{where} has no afterfit: install requirements.lock and then the package, as "
            "deployments/dask/Dockerfile does, into the environment it is started from."
        )

    here, there = _compared(ours), _compared(theirs)
    differing = [name for name in here if there[name] != here[name]]
    if differing:
        told = ", ".join(f"{name} {there[name]} (here {here[name]})" for name in differing)
        raise RequestError(
            f"{where} has {told}: install the same on all hosts, from requirements.lock."
        )


def _compared(packages: Mapping[str, str | None]) -> dict[str, str]:
    """Return the versions that must be the same; of Python the first two numbers count."""
    versions = {name: packages.get(name) or "missing" for name in PACKAGES_THAT_MUST_MATCH}
    major_and_minor = versions["python"].split(".")[:2]
    versions["python"] = ".".join(major_and_minor)
    return versions


# The code


def _compare_code(client: Client, scheduler: str) -> None:
    digest = _digest_of_scheduler(client)
    check_code(f"The scheduler {scheduler}", digest)

    digests = client.run(code_digest, on_error="return")
    for address, digest in digests.items():
        check_code(f"The worker {address}", digest)


def _digest_of_scheduler(client: Client) -> Any:
    try:
        return client.run_on_scheduler(code_digest)  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - what it raised is returned, as workers' errors are
        return error


def check_code(where: str, digest: str | Exception) -> None:
    """Refuse a scheduler or worker that cannot import the package, or has other code of it.

    Raises:
        RequestError: it says which.
    """
    if isinstance(digest, Exception):
        raise RequestError(
            f"{where} cannot import afterfit's `flows` and `tasks` "
            f"({type(digest).__name__}: {digest}): start it from the environment they are "
            "installed in, with PYTHONSAFEPATH=1."
        )
    if digest != code_digest():
        raise RequestError(
            f"{where} has other code of afterfit than this side: install the same on all hosts."
        )


# The servers


def servers() -> dict[str, str]:
    """Return the addresses of this flow's servers, by variable: those that are known."""
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
    sizes = {path: size_of(path) for path in reach.reads[:FILES_CHECKED]}
    with _token_in(reach.writes) as token:
        ask = partial(probe, sizes, reach.writes, token)
        problems = client.run(ask, on_error="return")

    for address, problem in problems.items():
        if problem:
            raise RequestError(
                f"The worker {address} {problem}: every host must have the data, the outputs and "
                "AFTERFIT_HOME under the same path as this one, from shared storage."
            )


@contextmanager
def _token_in(folder: str) -> Iterator[str]:
    """Write a file into a folder, if there is one, for a while; its name is its content."""
    if not folder:
        yield ""
        return

    name = f".reach-{uuid.uuid4().hex}"
    write_whole(join(folder, name), name.encode())
    try:
        yield name
    finally:
        delete(join(folder, name))

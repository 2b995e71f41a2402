"""What `tasks.runner.dask_inside` takes for granted of local clusters, nannies and settings."""

import os
import time

import dask
import psutil
import pytest
from distributed import Client, LocalCluster, Nanny
from distributed.security import Security

from tasks.runner import dask_inside, local_cluster
from tasks.runner.starting import LOG_LEVEL, LOG_SETTING, OTHER_VARIABLES, THREAD_VARIABLES

HANGS = 60  # seconds; time itself is never asserted


@pytest.fixture
def start():
    """Start a cluster of one worker process; return it and its client."""
    started = []

    def start_one(library_threads=1, **options):
        given = local_cluster.on_processes(1, library_threads) | options
        local = local_cluster.start(given)
        connected = Client(local, set_as_default=False)
        started.extend([local, connected])
        connected.wait_for_workers(1, timeout=HANGS)
        return local, connected

    yield start_one
    for each in reversed(started):
        each.close()


@pytest.fixture
def no_variables(monkeypatch):
    """The variables that Dask sets as it starts a process, none of which the user has set."""
    names = [*THREAD_VARIABLES, *OTHER_VARIABLES, "MALLOC_TRIM_THRESHOLD_"]
    for name in names:
        monkeypatch.delenv(name, raising=False)
    return set(names)


# The environment


def test_a_process_starts_with_variables_that_this_one_does_not_keep(start, no_variables):
    """Libraries of the worker read them as they are loaded, before any code of ours runs there."""
    _, client = start(library_threads=7)
    assert not no_variables & set(os.environ)
    (pid,) = client.run(os.getpid).values()
    at_its_start = psutil.Process(pid).environ()
    assert {at_its_start[name] for name in THREAD_VARIABLES} == {"7"}
    assert at_its_start["PYTHONHASHSEED"] == "6640"
    assert no_variables <= set(at_its_start)


@pytest.mark.parametrize(("chosen", "expected"), [(None, "warning"), ("debug", "debug")])
def test_a_process_tells_no_news_of_dasks_unless_somebody_asked(start, chosen, expected):
    before = os.environ.get(LOG_LEVEL)
    with dask.config.set({LOG_SETTING: chosen}):
        _, client = start()
    assert list(client.run(os.getenv, LOG_LEVEL).values()) == [expected]
    assert os.environ.get(LOG_LEVEL) == before


def test_a_nanny_of_dasks_own_would_leave_them_here(start, no_variables):
    """Once none does so, ours need not put anything back."""
    options = local_cluster.on_processes(1, library_threads=1)
    del options["worker_class"], options["library_threads"]
    with LocalCluster(**options):
        assert no_variables <= set(os.environ)


def test_a_setting_of_the_users_for_the_environment_of_workers_goes_first(start, no_variables):
    with dask.config.set({"distributed.nanny.environ.OMP_NUM_THREADS": 3}):
        _, client = start(library_threads=7)
    found = [list(client.run(os.getenv, name).values()) for name in THREAD_VARIABLES]
    assert found == [["3"], ["7"], ["7"]]


def test_dask_looks_for_no_sources_of_calls_by_default():
    """It would cost more than a small task."""
    assert dask.config.get("distributed.diagnostics.computations.nframes") == 0


# Nannies


def take_memory():
    taken = bytearray(500 * 2**20)
    time.sleep(HANGS)
    return len(taken)


def test_a_nanny_remembers_the_process_that_it_ended_for_memory(start, eventually):
    """A process that takes much at once may be gone before its heartbeat tells of it."""
    local, client = start(memory_limit=400 * 2**20)
    (pid,) = client.run(os.getpid).values()
    assert not dask_inside.ended_for_memory(local, pid)
    client.submit(take_memory, pure=False).release()
    held = client.submit(take_memory, pure=False)
    assert eventually(lambda: dask_inside.ended_for_memory(local, pid))
    held.cancel()


def test_without_nannies_nothing_was_ended_for_memory():
    assert not dask_inside.ended_for_memory(None, -1)
    with local_cluster.start(local_cluster.on_threads(1)) as on_threads:
        assert not dask_inside.ended_for_memory(on_threads, -1)


def test_a_worker_that_was_given_up_is_replaced_by_one_of_another_name(start, eventually):
    """Dask starts a dead process again, but not when its nanny has ended too."""
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "100ms"}):
        local, client = start()
        before = dict(local.workers)
        (nanny,) = before.values()
        assert isinstance(nanny, Nanny)
        assert dask_inside.workers_given_up(local, before) == {}

        local.sync(nanny.close)
        assert eventually(lambda: dask_inside.workers_given_up(local, before)) == {0: nanny}
        dask_inside.replace_worker(local, 0, nanny, "another")
        local.scale(len(local.worker_spec))
        client.wait_for_workers(1, timeout=HANGS)
        assert eventually(lambda: list(local.workers)) == ["another"]

    workers = dict(local.workers)
    local.close()
    assert dask_inside.workers_given_up(local, workers) == {}


# The address of a scheduler


def test_a_scheduler_in_this_process_is_known_by_its_address(client, on_threads):
    assert dask_inside.is_in_process(on_threads)
    assert not dask_inside.is_in_process(client)


def test_a_client_knows_whether_its_scheduler_is_there_and_where_it_was(eventually):
    options = local_cluster.on_threads(1) | {"protocol": "tcp://", "host": "127.0.0.1"}
    with LocalCluster(**options) as local, Client(local, set_as_default=False) as connected:
        address = local.scheduler_address
        assert dask_inside.is_connected(connected)
        assert dask_inside.address_of(connected) == address
        local.close()
        assert eventually(lambda: not dask_inside.is_connected(connected))
        assert dask_inside.address_of(connected) in {address, ""}
        connected.close()
        assert not dask_inside.is_connected(connected)


def test_an_address_without_tls_is_refused_in_these_words(client):
    security = Security(require_encryption=True)
    address = client.scheduler.address
    with pytest.raises((OSError, RuntimeError, ValueError)) as refused:
        Client(address, security=security, timeout="5s", set_as_default=False)
    error, told = refused.value, []
    while error is not None:
        told.append(str(error))
        error = error.__cause__ or error.__context__
    assert dask_inside.ENCRYPTION_REQUIRED in " ".join(told)

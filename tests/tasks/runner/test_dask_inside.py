"""What `tasks.runner.dask_inside` takes for granted of Dask: an upgrade that breaks it says where."""

import os
import signal
import ssl
import threading
import time
from contextvars import Context

import dask
import psutil
import pytest
from distributed import Client, KilledWorker, LocalCluster, Nanny, get_worker
from distributed.diagnostics.plugin import SchedulerPlugin, WorkerPlugin
from distributed.security import Security

from tasks.runner import dask_inside
from tasks.runner.starting import OTHER_VARIABLES, THREAD_VARIABLES

HANGS = 60  # seconds; time itself is never asserted
LOOPBACK = {
    "dashboard_address": "127.0.0.1:0",
    "worker_dashboard_address": "127.0.0.1:0",
    "host": "127.0.0.1",
}


@pytest.fixture(scope="module")
def cluster():
    """A scheduler in this process, with one worker process."""
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, **LOOPBACK) as started:
        yield started


@pytest.fixture
def client(cluster):
    with Client(cluster, set_as_default=False) as connected:
        connected.wait_for_workers(1, timeout=HANGS)
        yield connected


@pytest.fixture(scope="module")
def threads():
    """A client of a scheduler and a worker that are threads of this process."""
    pages = {name: of for name, of in LOOPBACK.items() if name != "host"}
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **pages) as started,
        Client(started, set_as_default=False) as connected,
    ):
        yield connected


def eventually(look):
    deadline = time.monotonic() + HANGS
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


class Watch(SchedulerPlugin):
    """Do something with each task that goes to a worker, and note all transitions of a task."""

    def __init__(self, client, prefix, act=lambda *_: None):
        self.name, self.client, self.prefix, self.act = f"watch-{prefix}", client, prefix, act
        self.seen = []

    async def start(self, scheduler):
        self.scheduler = scheduler

    def transition(self, key, start, finish, *_, **details):
        if str(key).startswith(self.prefix):
            self.seen.append((start, finish, details))
            self.act(self.scheduler, key, start, finish)


@pytest.fixture
def watch(cluster, client):
    """Watch the tasks of a prefix on the scheduler, which is in this process."""
    watching = []

    def start(prefix, act=lambda *_: None):
        plugin = Watch(client, prefix, act)
        plugin.scheduler = cluster.scheduler
        cluster.scheduler.add_plugin(plugin, name=plugin.name)
        watching.append(plugin)
        return plugin

    yield start
    for plugin in watching:
        cluster.scheduler.remove_plugin(plugin.name)


def on_scheduler(client, function, *arguments):
    """Call a function of the inside on the scheduler's own thread."""

    async def call(dask_scheduler):
        return function(dask_scheduler, *arguments)

    return client.run_on_scheduler(call)


# On the scheduler


def test_a_kept_task_runs_though_nobody_holds_its_future_and_is_then_forgotten(
    cluster, client, watch, tmp_path
):
    def keep(scheduler, key, start, finish):
        if (start, finish) == (dask_inside.RELEASED, dask_inside.WAITING):
            dask_inside.keep_until_done(scheduler, key)

    watched, mark = watch("keep", keep), tmp_path / "mark"
    client.submit(mark.touch, key="keep-1", pure=False).release()
    assert eventually(mark.exists)
    assert eventually(lambda: "keep-1" not in cluster.scheduler.tasks)
    states = [(start, finish) for start, finish, _ in watched.seen]
    assert states[:2] == [("released", "waiting"), ("waiting", "processing")]
    assert ("processing", "memory") in states


def test_kept_tasks_are_dropped_by_the_prefix_of_their_keys(cluster, client, watch):
    def keep(scheduler, key, start, finish):
        if (start, finish) == (dask_inside.RELEASED, dask_inside.WAITING):
            dask_inside.keep_until_done(scheduler, key)

    watch("drop", keep)
    for key in ("drop-a-1", "drop-a-2", "drop-b-1"):
        client.submit(time.sleep, 1, key=key, pure=False).release()
    assert eventually(lambda: "drop-b-1" in cluster.scheduler.tasks)
    on_scheduler(client, dask_inside.drop_kept, "drop-a")
    left = {key for key in cluster.scheduler.tasks if str(key).startswith("drop-")}
    assert "drop-a-2" not in left
    assert "drop-b-1" in left
    on_scheduler(client, dask_inside.drop_kept, "drop-b")
    assert eventually(lambda: not [key for key in cluster.scheduler.tasks if "drop-" in str(key)])


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_task_is_given_up_as_soon_as_its_worker_dies_with_the_error_pickled(client, watch):
    """By itself Dask would run it again three times, on one worker after the other."""
    ((address, pid),) = client.run(os.getpid).items()
    workers = []

    def give_up(scheduler, key, _, finish):
        if finish == dask_inside.PROCESSING:
            workers.append(dask_inside.give_up_with_its_worker(scheduler, key))

    watched = watch("die", give_up)
    future = client.submit(die, key="die-1", pure=False)
    with pytest.raises(KilledWorker):
        future.result(timeout=HANGS)
    (details,) = [details for _, finish, details in watched.seen if finish == dask_inside.ERRED]
    assert isinstance(dask_inside.exception_of(details), KilledWorker)
    (worker,) = workers
    assert (worker.address, worker.pid) == (address, pid)
    used, limit = dask_inside.memory_of(worker)
    assert 2**20 < used < limit


def test_an_error_of_a_task_comes_with_its_text(client, watch):
    watched = watch("fail")
    with pytest.raises(ZeroDivisionError):
        client.submit(divmod, 1, 0, key="fail-1", pure=False).result(timeout=HANGS)
    (details,) = [details for _, finish, details in watched.seen if finish == dask_inside.ERRED]
    assert details["exception_text"].startswith("ZeroDivisionError(")


@pytest.mark.parametrize("pickled", [None, "a string", b"no pickle"])
def test_an_exception_that_cannot_be_read_is_none(pickled):
    assert dask_inside.exception_of({"exception": pickled}) is None


def test_events_are_forgotten_once_they_have_been_sent_on(client, cluster):
    heard, topics = {"forgotten": [], "kept": []}, ["forgotten", "kept"]
    for topic in topics:
        client.subscribe_topic(topic, lambda event, topic=topic: heard[topic].append(event[1]))
        # A subscription takes another way to the scheduler than an event.
        assert eventually(lambda topic=topic: heard[topic] or client.log_event(topic, "knock"))

    class Forget(SchedulerPlugin):
        def log_event(self, topic, msg):  # noqa: ARG002 - Dask gives it
            if topic == "forgotten":
                dask_inside.forget_events(cluster.scheduler, topic)

    cluster.scheduler.add_plugin(Forget(), name="forget")
    for number in range(20):
        for topic in topics:
            client.log_event(topic, number)
    for topic in topics:
        assert eventually(lambda topic=topic: heard[topic][-20:] == list(range(20)))
    cluster.scheduler.remove_plugin("forget")
    assert client.get_events("forgotten") == ()
    assert [event for _, event in client.get_events("kept")][-20:] == list(range(20))


class Mark(WorkerPlugin):
    """Say on the worker that it is there."""

    def __init__(self, name):
        self.name = name

    def setup(self, worker):  # noqa: ARG002 - Dask gives it
        os.environ[self.name] = "here"

    def teardown(self, worker):  # noqa: ARG002 - the same
        del os.environ[self.name]


def test_plugins_of_workers_are_removed_by_prefix_from_the_workers_too(client, cluster):
    for name in ("drop-me-1", "drop-me-2", "leave-me"):
        client.register_plugin(Mark(name))

    def marks():
        return sorted(name for name in os.environ if name.endswith(("-1", "-2", "-me")))

    assert set(map(tuple, client.run(marks).values())) == {("drop-me-1", "drop-me-2", "leave-me")}
    on_scheduler(client, dask_inside.drop_worker_plugins, "drop-me")
    assert eventually(lambda: list(client.run(marks).values()) == [["leave-me"]])
    assert "leave-me" in cluster.scheduler.worker_plugins
    client.unregister_worker_plugin("leave-me")


# On a worker


def test_a_context_of_ours_can_know_the_worker_of_a_task(client):
    def know():
        context = Context()
        with pytest.raises(ValueError, match="No worker found"):
            context.run(get_worker)
        dask_inside.know_worker(context)
        return context.run(get_worker) is get_worker()

    assert client.submit(know, pure=False).result(timeout=HANGS)


@pytest.mark.parametrize("kind", ["client", "threads"])
def test_a_thread_leaves_its_pool_once_and_another_takes_its_place(kind, request):
    """The worker has one thread: the inner task runs only if the outer one has left it, twice."""
    connected = request.getfixturevalue(kind)

    def outer():
        dask_inside.leave_thread_pool()
        dask_inside.leave_thread_pool()
        with Client(get_worker().scheduler.address, set_as_default=False) as inner:
            return inner.submit(sum, [1, 2], pure=False).result(timeout=HANGS)

    outer.__module__ = "__main__"  # travel by value
    assert connected.submit(outer, pure=False).result(timeout=HANGS) == 3


def test_a_thread_that_is_none_of_dasks_leaves_nothing():
    left = threading.Thread(target=dask_inside.leave_thread_pool)
    left.start()
    left.join()
    dask_inside.leave_thread_pool()


def test_a_task_knows_the_scheduler_that_it_came_from(client, cluster):
    found = client.submit(dask_inside.scheduler_around, pure=False).result(timeout=HANGS)
    assert found == cluster.scheduler_address
    assert dask_inside.scheduler_around() is None


# In the flow


def test_a_scheduler_in_this_process_is_known_by_its_address(client, threads):
    assert dask_inside.is_in_process(threads)
    assert not dask_inside.is_in_process(client)


def test_a_client_knows_whether_its_scheduler_is_there_and_where_it_was():
    with (
        LocalCluster(n_workers=0, processes=True, **LOOPBACK) as local,
        Client(local, set_as_default=False) as connected,
    ):
        address = local.scheduler_address
        assert dask_inside.is_connected(connected)
        assert dask_inside.address_of(connected) == address
        local.close()
        assert eventually(lambda: not dask_inside.is_connected(connected))
        assert dask_inside.address_of(connected) in {address, ""}
        connected.close()
        assert not dask_inside.is_connected(connected)


def test_a_nanny_remembers_the_process_that_it_ended_for_memory(cluster, threads):
    """A process that takes much at once may be gone before its heartbeat tells of it."""
    assert not dask_inside.ended_for_memory(cluster, -2)
    assert not dask_inside.ended_for_memory(threads.cluster, -1)
    assert not dask_inside.ended_for_memory(None, -1)
    with (
        LocalCluster(n_workers=1, processes=True, memory_limit="400 MiB", **LOOPBACK) as small,
        Client(small, set_as_default=False) as connected,
    ):
        (pid,) = connected.run(os.getpid).values()
        assert not dask_inside.ended_for_memory(small, pid)
        connected.submit(take_memory, pure=False).release()
        held = connected.submit(take_memory, pure=False)
        assert eventually(lambda: dask_inside.ended_for_memory(small, pid))
        held.cancel()


def take_memory():
    taken = bytearray(500 * 2**20)
    time.sleep(HANGS)
    return len(taken)


def test_a_worker_that_was_given_up_is_replaced_by_one_of_another_name():
    """Dask starts a dead process again, but not when its nanny has ended too."""
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "100ms"}),
        LocalCluster(n_workers=1, processes=True, **LOOPBACK) as local,
        Client(local, set_as_default=False) as connected,
    ):
        before = dict(local.workers)
        assert dask_inside.workers_given_up(local, before) == {}
        (nanny,) = before.values()
        local.sync(nanny.close)
        assert eventually(lambda: dask_inside.workers_given_up(local, before)) == {0: nanny}
        dask_inside.replace_worker(local, 0, nanny, "another")
        local.scale(len(local.worker_spec))
        connected.wait_for_workers(1, timeout=HANGS)
        assert list(local.workers) == ["another"]
        workers = dict(local.workers)
    assert dask_inside.workers_given_up(local, workers) == {}


def test_an_address_without_tls_is_refused_in_these_words(client):
    security = Security(require_encryption=True)
    with pytest.raises((OSError, RuntimeError, ValueError, ssl.SSLError)) as refused:
        Client(client.scheduler.address, security=security, timeout="5s", set_as_default=False)
    chain, told = refused.value, []
    while chain is not None:
        told.append(str(chain))
        chain = chain.__cause__ or chain.__context__
    assert dask_inside.ENCRYPTION_REQUIRED in " ".join(told)


def test_a_worker_process_is_started_with_variables_that_this_process_does_not_keep(monkeypatch):
    """Libraries of the worker read them as they are loaded, before any code of ours runs there."""
    ours = [*THREAD_VARIABLES, *OTHER_VARIABLES, "MALLOC_TRIM_THRESHOLD_"]
    for name in ours:
        monkeypatch.delenv(name, raising=False)

    options = {"worker_class": dask_inside.OwnNanny, "library_threads": 7}
    with (
        LocalCluster(n_workers=1, processes=True, **options, **LOOPBACK) as local,
        Client(local, set_as_default=False) as connected,
    ):
        assert not set(ours) & set(os.environ)
        (pid,) = connected.run(os.getpid).values()
        at_its_start = psutil.Process(pid).environ()
    assert {at_its_start[name] for name in THREAD_VARIABLES} == {"7"}
    assert at_its_start["PYTHONHASHSEED"] == "6640"
    assert set(ours) <= set(at_its_start)


def test_a_setting_of_the_users_for_the_environment_of_workers_goes_first(monkeypatch):
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)

    options = {"worker_class": dask_inside.OwnNanny, "library_threads": 7}
    with (
        dask.config.set({"distributed.nanny.environ.OMP_NUM_THREADS": 3}),
        LocalCluster(n_workers=1, processes=True, **options, **LOOPBACK) as local,
        Client(local, set_as_default=False) as connected,
    ):
        variables = {name: connected.run(os.getenv, name) for name in THREAD_VARIABLES}
    assert [list(of.values()) for of in variables.values()] == [["3"], ["7"], ["7"]]


def test_workers_of_process_clusters_are_nannies(cluster):
    assert all(isinstance(worker, Nanny) for worker in cluster.workers.values())


def test_dask_looks_for_no_sources_of_calls_by_default():
    """It would cost more than a small task."""
    assert dask.config.get("distributed.diagnostics.computations.nframes") == 0

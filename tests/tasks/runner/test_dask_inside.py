"""What `tasks.runner.dask_inside` takes for granted of Dask's scheduler and workers.

An upgrade that breaks one of these says which.
"""

import os
import signal
import threading
import time
from contextvars import Context

import pytest
from distributed import Client, KilledWorker, get_worker
from distributed.diagnostics.plugin import SchedulerPlugin, WorkerPlugin

from tasks.runner import dask_inside
from tasks.runner.dask_inside import ERRED, PROCESSING, RELEASED, WAITING

HANGS = 60  # seconds; time itself is never asserted


class Watch(SchedulerPlugin):
    """Notes all transitions of the tasks of a prefix, and does something at each."""

    def __init__(self, scheduler, prefix, act):
        self.scheduler, self.prefix, self.act = scheduler, prefix, act
        self.name = f"watch-{prefix}"
        self.seen = []

    def transition(self, key, start, finish, *_, **details):
        if str(key).startswith(self.prefix):
            self.seen.append((start, finish, details))
            self.act(self.scheduler, key, start, finish)

    def errors(self):
        return [details for _, finish, details in self.seen if finish == ERRED]


@pytest.fixture
def watch(cluster):
    """Watch the tasks of a prefix on the scheduler, which is in this process."""
    watching = []

    def start(prefix, act=lambda *_: None):
        plugin = Watch(cluster.scheduler, prefix, act)
        cluster.scheduler.add_plugin(plugin, name=plugin.name)
        watching.append(plugin)
        return plugin

    yield start
    for plugin in watching:
        cluster.scheduler.remove_plugin(plugin.name)


def on_scheduler(client, function, *arguments):
    """Call a function on the scheduler's own thread."""

    async def call(dask_scheduler):
        return function(dask_scheduler, *arguments)

    return client.run_on_scheduler(call)


# On the scheduler


def keep_new(scheduler, key, start, finish):
    if (start, finish) == (RELEASED, WAITING):
        dask_inside.keep_until_done(scheduler, key)


def test_a_kept_task_runs_though_nobody_holds_its_future_and_is_then_forgotten(
    cluster, client, watch, eventually, tmp_path
):
    watched, mark = watch("keep", keep_new), tmp_path / "mark"
    client.submit(mark.touch, key="keep-1", pure=False).release()
    assert eventually(mark.exists)
    assert eventually(lambda: "keep-1" not in cluster.scheduler.tasks)
    states = [(start, finish) for start, finish, _ in watched.seen]
    assert states[:2] == [("released", "waiting"), ("waiting", "processing")]
    assert ("processing", "memory") in states


def test_kept_tasks_are_dropped_by_the_prefix_of_their_keys(cluster, client, watch, eventually):
    def known():
        return {key for key in cluster.scheduler.tasks if str(key).startswith("drop-")}

    watch("drop", keep_new)
    for key in ("drop-a-1", "drop-a-2", "drop-b-1"):
        client.submit(time.sleep, 1, key=key, pure=False).release()
    assert eventually(lambda: "drop-b-1" in known())
    on_scheduler(client, dask_inside.drop_kept, "drop-a")
    assert "drop-a-2" not in known()
    assert "drop-b-1" in known()
    on_scheduler(client, dask_inside.drop_kept, "drop-b")
    assert eventually(lambda: known() == set())


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_task_is_given_up_as_soon_as_its_worker_dies_with_the_error_pickled(client, watch):
    """By itself Dask would run it again three times, on one worker after the other."""
    ((address, pid),) = client.run(os.getpid).items()
    workers = []

    def give_up(scheduler, key, _, finish):
        if finish == PROCESSING:
            workers.append(dask_inside.give_up_with_its_worker(scheduler, key))

    watched = watch("die", give_up)
    with pytest.raises(KilledWorker):
        client.submit(die, key="die-1", pure=False).result(timeout=HANGS)
    (details,) = watched.errors()
    assert isinstance(dask_inside.exception_of(details), KilledWorker)

    (worker,) = workers
    assert (worker.address, worker.pid) == (address, pid)
    used, limit = dask_inside.memory_of(worker)
    assert 2**20 < used < limit


def test_an_error_of_a_task_comes_with_its_text(client, watch):
    watched = watch("fail")
    with pytest.raises(ZeroDivisionError):
        client.submit(divmod, 1, 0, key="fail-1", pure=False).result(timeout=HANGS)
    (details,) = watched.errors()
    assert details["exception_text"].startswith("ZeroDivisionError(")


@pytest.mark.parametrize("pickled", [None, "a string", b"no pickle"])
def test_an_exception_that_cannot_be_read_is_none(pickled):
    assert dask_inside.exception_of({"exception": pickled}) is None


@pytest.mark.parametrize("forgets", [True, False])
def test_events_are_forgotten_once_they_have_been_sent_on(client, cluster, eventually, forgets):
    heard, topic = [], f"forgets-{forgets}"
    client.subscribe_topic(topic, lambda event: heard.append(event[1]))
    # A subscription takes another way to the scheduler than an event.
    assert eventually(lambda: heard or client.log_event(topic, "knock"))

    class Forget(SchedulerPlugin):
        def log_event(self, topic, msg):  # noqa: ARG002 - Dask gives it
            if forgets:
                dask_inside.forget_events(cluster.scheduler, topic)

    numbers = list(range(20))
    cluster.scheduler.add_plugin(Forget(), name="forget")
    for number in numbers:
        client.log_event(topic, number)
    assert eventually(lambda: heard[-20:] == numbers)
    cluster.scheduler.remove_plugin("forget")
    kept = [event for _, event in client.get_events(topic)]
    assert kept[-20:] == ([] if forgets else numbers)


class Mark(WorkerPlugin):
    """Says on the worker that it is there."""

    def __init__(self, name):
        self.name = name

    def setup(self, worker):  # noqa: ARG002 - Dask gives it
        os.environ[self.name] = "here"

    def teardown(self, worker):  # noqa: ARG002 - the same
        del os.environ[self.name]


def marks():
    return sorted(name for name, value in os.environ.items() if value == "here")


def test_plugins_are_removed_by_prefix_from_the_workers_too(client, cluster, eventually):
    for name in ("drop-me-1", "drop-me-2", "leave-me"):
        client.register_plugin(Mark(name))
    assert list(client.run(marks).values()) == [["drop-me-1", "drop-me-2", "leave-me"]]

    on_scheduler(client, dask_inside.drop_worker_plugins, "drop-me")
    assert eventually(lambda: list(client.run(marks).values()) == [["leave-me"]])
    left = [name for name in cluster.scheduler.worker_plugins if name.endswith(("me", "1", "2"))]
    assert left == ["leave-me"]
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


@pytest.mark.parametrize("kind", ["client", "on_threads"])
def test_a_thread_leaves_its_pool_once_and_another_takes_its_place(kind, request):
    """The worker has one thread: the inner task runs only if the outer one has left it."""
    connected = request.getfixturevalue(kind)

    def outer():
        dask_inside.leave_thread_pool()
        dask_inside.leave_thread_pool()
        with Client(get_worker().scheduler.address, set_as_default=False) as inner:
            return inner.submit(sum, [1, 2], pure=False).result(timeout=HANGS)

    assert connected.submit(outer, pure=False).result(timeout=HANGS) == 3


def test_a_thread_that_is_none_of_dasks_leaves_nothing():
    dask_inside.leave_thread_pool()
    left = threading.Thread(target=dask_inside.leave_thread_pool)
    left.start()
    left.join()


def test_a_task_knows_the_scheduler_that_it_came_from(client, cluster):
    found = client.submit(dask_inside.scheduler_around, pure=False).result(timeout=HANGS)
    assert found == cluster.scheduler_address
    assert dask_inside.scheduler_around() is None

"""What the workers of a flow share, and what a call finds on a worker."""

from distributed import Client

from tasks.runner import worker
from tasks.runner.mailroom import MAILROOM, Mailroom
from tasks.runner.messages import Call, TaskDone, topic_of
from tasks.runner.scheduler import RunOnceGuard

HANGS = 60  # seconds; time itself is never asserted


def shared():
    return sorted(MAILROOM._shared)


def plugins(dask_scheduler):
    names = [*dask_scheduler.plugins, *dask_scheduler.worker_plugins]
    return [name for name in names if "afterfit" in name]


def test_later_workers_have_what_was_shared_and_forget_it_with_the_flow(
    client, cluster, eventually
):
    client.register_plugin(RunOnceGuard(client.id))
    name = f"{topic_of(client.id)}-share"
    client.register_plugin(worker.SharedBytes(name, b"content"))
    cluster.scale(2)
    with Client(cluster, set_as_default=False) as other:
        other.wait_for_workers(2, timeout=HANGS)

        def on_workers():
            return list(other.run(shared).values())

        assert on_workers() == [[name], [name]]
        client.close()
        assert eventually(lambda: on_workers() == [[], []])
        assert other.run_on_scheduler(plugins) == []
    cluster.scale(1)


# Calls of flows of this very process


def test_a_local_call_is_run_once_and_its_state_handed_over(monkeypatch):
    delivered = []
    monkeypatch.setattr("tasks.runner.engine.run_task", lambda **arguments: arguments)
    MAILROOM.keep_local("a key", {"task": "a task"}, delivered.append)
    worker.execute(Call("a key", "a topic"))
    worker.execute(Call("a key", "a topic"))
    assert delivered == [TaskDone("a key", {"task": "a task"}, items=[])]


def test_the_calls_of_a_flow_that_has_ended_are_dropped():
    mailroom = Mailroom()
    for key in ("mine-1", "mine-2", "others-1"):
        mailroom.keep_local(key, {}, [].append)
    mailroom.drop_local("mine")
    assert [mailroom.take_local(key) for key in ("mine-1", "mine-2")] == [None, None]
    assert mailroom.take_local("others-1").arguments == {}

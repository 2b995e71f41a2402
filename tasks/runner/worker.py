"""Tasks on Dask's workers: each runs once, and its result comes back by itself.

A result that waits on a worker is lost with it, and Dask would then run a finished task again. So a
worker sends the result, and every state and log before it, through the scheduler to the flow, and
Dask keeps nothing: the scheduler drops a task when it is done, and gives one up when its worker
dies. What then happens is for the flow to decide.
"""

import cloudpickle
from distributed import Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from tasks.runner import dask_inside, engine
from tasks.runner.mailroom import MAILROOM, LocalCall
from tasks.runner.messages import Call, TaskDone


def execute(call: Call) -> None:
    """Run a task on a worker, and send its final state."""
    local = MAILROOM.take_local(call.key)
    if local:
        _run_local(call, local)
    elif call.context:
        context = MAILROOM.context(call.context).copy()
        dask_inside.know_worker(context)
        context.run(_run, call)
    # else its flow, which was in this process, has ended


def _run_local(call: Call, local: LocalCall) -> None:
    dask_inside.know_worker(local.context)
    state = local.context.run(engine.run_task, **local.arguments)
    done = TaskDone(call.key, state, items=[])
    local.deliver(done)


def _run(call: Call) -> None:
    outbox = MAILROOM.open_outbox(call, get_worker())
    task = MAILROOM.task(call.task)
    arguments = cloudpickle.loads(call.arguments)
    state = engine.run_task(task, **arguments)
    outbox.close(state)


class SharedBytes(WorkerPlugin):
    """Bytes that every worker has, also one that comes later: a pickled task, or a context."""

    idempotent = True

    def __init__(self, name: str, content: bytes) -> None:
        """Share this content under a name, which begins with the topic of its flow."""
        self.name, self.content = name, content

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - Dask gives it
        """Take the content."""
        MAILROOM.share(self.name, self.content)

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - the same
        """Forget it."""
        MAILROOM.unshare(self.name)

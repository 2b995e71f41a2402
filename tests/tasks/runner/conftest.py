"""What the tests of the runner share: workers, and looks at the API."""

import time

import pytest

HANGS = 60  # seconds; time itself is never asserted
PLAIN = {"security": None}  # so that an address is enough to connect


@pytest.fixture(scope="session", autouse=True)
def _quick_ends(no_heartbeats):
    """Let every flow of these tests end without its second of waiting."""


@pytest.fixture(scope="module")
def outside_of_flows():
    """Spare tests that submit outside of flows the warning that their logs go nowhere."""
    from prefect.settings import PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW, temporary_settings

    with temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}):
        yield


@pytest.fixture(scope="session")
def address(servers):
    """The address of a scheduler with two worker processes, which all tests share."""
    from tasks.runner import local_cluster

    options = local_cluster.on_processes(2, library_threads=1)
    with local_cluster.start(options | PLAIN) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(params=["threads", "processes"])
def runner(request, servers):
    """A runner, not started, on each kind of worker."""
    from tasks.runner.make import make_runner

    if request.param == "threads":
        return make_runner()
    return make_runner(cluster=request.getfixturevalue("address"))


@pytest.fixture
def processes(address):
    """A runner on worker processes, where threads of this process make no difference."""
    from tasks.runner.make import make_runner

    return make_runner(cluster=address)


@pytest.fixture(scope="session")
def play():
    """Run a function as a flow; return its final state."""
    from prefect import flow

    def run(runner, function, **options):
        as_flow = flow(task_runner=runner, **options)(function)
        return as_flow(return_state=True)

    return run


@pytest.fixture(scope="session")
def eventually():
    """Look until something is found, and return it, or what was found last."""

    def wait_for(look, seconds=HANGS):
        deadline = time.monotonic() + seconds
        while not (found := look()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    return wait_for


@pytest.fixture(scope="session")
def from_api(eventually):
    """Ask the API until it shows as many as expected: events and logs reach it a little later."""
    from prefect.client.orchestration import get_client

    def ask(look, count):
        found = []

        def complete():
            found[:] = look(client)
            return len(found) == count

        with get_client(sync_client=True) as client:
            assert eventually(complete), found
        return found

    return ask


@pytest.fixture(scope="session")
def runs_of(from_api):
    """Return the task runs of a flow run, by name, as the API shows them once so many ended."""
    from prefect.client.schemas.filters import FlowRunFilter

    def read(state, count):
        of_flow = FlowRunFilter(id={"any_": [state.state_details.flow_run_id]})

        def ended(client):
            runs = client.read_task_runs(flow_run_filter=of_flow)
            return [run for run in runs if run.state and run.state.is_final()]

        return {run.name: run for run in from_api(ended, count)}

    return read


@pytest.fixture(scope="module")
def cluster():
    """A scheduler in this process, with one worker process."""
    from tasks.runner import local_cluster

    options = local_cluster.on_processes(1, library_threads=1)
    with local_cluster.start(options | PLAIN) as started:
        yield started


@pytest.fixture
def client(cluster):
    """A client of that cluster, when it has a worker."""
    from distributed import Client

    with Client(cluster, set_as_default=False) as connected:
        connected.wait_for_workers(1, timeout=HANGS)
        yield connected


@pytest.fixture(scope="module")
def on_threads():
    """A client of a scheduler and a worker that are threads of this process."""
    from distributed import Client

    from tasks.runner import local_cluster

    with (
        local_cluster.start(local_cluster.on_threads(1)) as started,
        Client(started, set_as_default=False) as connected,
    ):
        yield connected


IN_ANOTHER_PROCESS = """
import sys, cloudpickle
body, given = cloudpickle.loads(sys.stdin.buffer.read())
answer = body(*given)
sys.stdout.buffer.write(b"ANSWER" + cloudpickle.dumps(answer))
"""


@pytest.fixture
def in_another_process(request):
    """Run a function of a test in a fresh process; return what it returns."""
    import subprocess
    import sys

    import cloudpickle

    name = request.module.__name__  # flows that call this are pickled with it, so no module

    def run(body, *given):
        module = sys.modules[name]
        cloudpickle.register_pickle_by_value(module)
        try:
            sent = cloudpickle.dumps((body, given))
        finally:
            cloudpickle.unregister_pickle_by_value(module)
        command = [sys.executable, "-c", IN_ANOTHER_PROCESS]
        done = subprocess.run(command, input=sent, capture_output=True, check=False, timeout=HANGS)
        assert done.returncode == 0, done.stderr.decode()
        _, _, answer = done.stdout.partition(b"ANSWER")
        return cloudpickle.loads(answer)

    return run

"""The servers of a home are started, found again, mended and stopped, shown with cheap ones."""

import os
import signal
import subprocess
from dataclasses import replace

import pytest

from deployments.servers import daemon, embedded
from deployments.servers.embedded import Timeouts, recorded, start, stop
from deployments.servers.ports import is_free, is_healthy
from deployments.servers.record import write_record
from tasks.core.errors import AfterfitError

SHORT = Timeouts(recover_seconds=0.3, request_seconds=0.2, stop_seconds=0.5)


@pytest.fixture
def one(stubs):
    return stubs[0]


def record_path(kind, folder):
    return folder / "servers" / f"{kind.name}.json"


def pids(processes):
    return {process.pid for process in processes}


def test_servers_that_run_are_left_alone(alone, stubs, processes):
    one, two = stubs
    records = start(stubs, alone)
    assert records[one].port == one.port
    assert records[two].port == two.port

    assert start(stubs, alone) == records
    assert pids(processes(alone)) == {records[one].pid, records[two].pid}


def test_stopping_leaves_nothing_and_names_what_it_stopped(alone, stubs, processes):
    start(stubs, alone)

    assert stop(stubs, alone) == ["one", "two"]
    assert processes(alone) == []
    assert stop(stubs, alone) == []


def test_a_killed_server_is_started_again_on_its_port(alone, stubs):
    one, two = stubs
    before = start(stubs, alone)
    os.kill(before[one].pid, signal.SIGKILL)

    after = start(stubs, alone)
    assert after[one].pid != before[one].pid
    assert after[one].port == before[one].port
    assert after[two] == before[two]


def test_a_home_keeps_its_port_whatever_port_is_preferred_later(alone, one, low_port, monkeypatch):
    before = start([one], alone)[one]
    stop([one], alone)
    monkeypatch.setenv("AFTERFIT_ONE_PORT", str(low_port()))

    after = start([one], alone)[one]
    assert after.port == before.port


def test_a_server_that_hangs_is_replaced(alone, stubs, processes):
    one, two = stubs
    before = start(stubs, alone)
    os.kill(before[one].pid, signal.SIGSTOP)

    after = start(stubs, alone, SHORT)
    assert after[one].pid != before[one].pid
    assert after[two] == before[two]
    assert pids(processes(alone)) == {after[one].pid, after[two].pid}


def test_a_server_whose_start_was_interrupted_is_waited_for(alone, one):
    """It does not listen yet, so it is given the time of a start, not that of a recovery."""
    launched = embedded.launch(one, alone)

    impatient = replace(SHORT, recover_seconds=0)
    assert start([one], alone, impatient) == {one: launched}


def test_a_reused_pid_and_a_foreign_server_are_left_alone(alone, one, serve):
    """The server moves to the next free port, which is remembered."""
    before = start([one], alone)[one]
    stop([one], alone)

    with serve(before.port), subprocess.Popen(["/bin/sleep", "600"]) as stranger:
        reused = replace(before, pid=stranger.pid)
        write_record(record_path(one, alone), reused)
        assert stop([one], alone) == []
        after = start([one], alone)[one]
        assert stranger.poll() is None
        assert is_healthy(before.port, "/health")
        stranger.kill()

    assert before.port < after.port < before.port + 5
    assert recorded(one, alone) == after
    assert start([one], alone) == {one: after}


@pytest.mark.parametrize("text", [None, '{"pid": 12'], ids=["missing", "damaged"])
def test_a_server_without_a_readable_record_is_found_and_stopped(alone, one, processes, text):
    start([one], alone)
    path = record_path(one, alone)
    path.unlink()
    if text:
        path.write_text(text)

    assert recorded(one, alone) is None
    assert stop([one], alone) == ["one"]
    assert processes(alone) == []


def test_a_server_without_a_record_is_replaced_by_the_next_start(alone, one, processes):
    before = start([one], alone)[one]
    record_path(one, alone).unlink()

    after = start([one], alone)[one]
    assert after.pid != before.pid
    assert pids(processes(alone)) == {after.pid}


def test_a_server_that_dies_while_starting_is_reported_with_its_last_words(alone, one, processes):
    dying = replace(one, arguments="no_such_module")
    words = r"The One server ended while starting: .*No module named no_such_module.*one\.log"
    with pytest.raises(AfterfitError, match=words):
        start([dying], alone)

    assert processes(alone) == []


def test_a_server_that_does_not_answer_in_time_is_stopped(alone, one, processes):
    (alone / "health").unlink()
    words = r"The One server did not answer in 1 s: .* \(see .*one\.log\)"
    with pytest.raises(AfterfitError, match=words):
        start([one], alone, replace(SHORT, start_seconds=1))

    assert processes(alone) == []
    assert is_free(one.port)


def test_a_server_whose_port_was_taken_while_it_started_moves_on(alone, one, serve):
    """Somebody else answers on its port, and it has ended: it is started again on the next."""
    with serve(one.port):
        late = daemon.launch("one", ["/bin/true"], {}, alone, one.port)
        record = embedded.wait(one, alone, late, SHORT)

        assert record.port > one.port
        assert is_healthy(record.port, "/health")


def test_the_answer_of_a_stranger_on_its_port_is_not_its_own(alone, one, serve):
    elsewhere = replace(one, arguments="http.server --bind {host} 0")
    record = embedded.launch(elsewhere, alone)

    with serve(one.port):
        assert not daemon.await_health(record, "/health", 0.3)


def test_where_no_port_is_free_the_first_one_tried_is_named(alone, one):
    beyond = replace(one, port=65536)
    with pytest.raises(AfterfitError, match=r"No port is free for the One server from 65536 on"):
        start([beyond], alone)

"""Batch scoring while workers, schedulers and servers die or stop under it."""

import contextlib
import signal
import time

import psutil
import pytest

from flows.scoring import score_batch
from tasks.core.errors import AfterfitError
from tasks.idempotent import idempotent_task
from tasks.score import score_bundle

HANGS = 120  # seconds; time itself is never asserted


def _workers(run, count=1):
    """Wait for worker processes of Dask, and return them."""
    deadline = time.monotonic() + HANGS
    while time.monotonic() < deadline and run.process.poll() is None:
        found = [process for process in run.processes() if _is_worker(process)]
        if len(found) >= count:
            return found
        time.sleep(0.05)
    return []


def _is_worker(process):
    with contextlib.suppress(psutil.Error):
        line = " ".join(process.cmdline())
        return "spawn_main" in line and "resource_tracker" not in line
    return False


@pytest.mark.parametrize(
    "killed", [1, pytest.param(2, marks=pytest.mark.slow)], ids=["one worker", "all workers"]
)
def test_a_run_goes_on_after_its_workers_were_killed(
    slow_champion, make_source, start, laws, reference, tmp_path, killed
):
    """Another worker does again what a dead one had in hand.

    The content is that of an undisturbed run.
    """
    source, output = make_source(8), tmp_path / "out"
    run = start(slow_champion, source.path, output, "--workers", "2")
    assert run.await_records(1)
    for worker in _workers(run, 2)[:killed]:
        worker.kill()
    answer = laws.finished(run.wait(), output, source.ids)
    assert answer["rows_reused"] == 0
    assert laws.parts_of(output) == reference(slow_champion, source)
    run.assert_gone()


@pytest.mark.slow
def test_rows_that_kill_their_worker_every_time_end_the_run_with_a_sentence(
    slow_champion, make_source, start, laws, reference, tmp_path
):
    """The run gives up, says why, and keeps its parts.

    The worker is killed as soon as it holds rows, again and again.
    """
    source, output = make_source(20), tmp_path / "out"
    run = start(slow_champion, source.path, output, "--workers", "1")
    assert run.await_records(1)
    deadline = time.monotonic() + 300
    while run.process.poll() is None and time.monotonic() < deadline:
        for worker in _workers(run):
            with contextlib.suppress(psutil.Error):
                if any(str(source.path) in file.path for file in worker.open_files()):
                    worker.kill()
    laws.failed(run.wait(), "score_bundle lost its worker tls://", "What is done is kept")
    run.assert_gone()
    laws.unchanged(output)
    done = score_batch(slow_champion, str(source.path), str(output))
    assert done.rows_reused > 0
    assert laws.parts_of(output) == reference(slow_champion, source)


@pytest.fixture
def cluster(start_dask, free_port):
    """The address and the processes of a Dask scheduler and two workers.

    They are started as somebody else starts them.
    """
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    return address, [
        start_dask("scheduler", "--port", port),
        *(start_dask("worker", address) for _ in range(2)),
    ]


@pytest.mark.slow
def test_a_run_whose_scheduler_was_killed_fails_and_names_it(
    slow_champion, make_source, start, laws, reference, cluster, tmp_path
):
    """It does not wait for a scheduler that never answers again.

    Here, the same run is then finished from what is done.
    """
    address, (scheduler, *_) = cluster
    source, output = make_source(8), tmp_path / "out"
    run = start(slow_champion, source.path, output, "--cluster", address)
    assert run.await_records(2)
    scheduler.kill()
    killed = time.monotonic()
    laws.failed(
        run.wait(), f"The Dask scheduler at {address} went away", "run the same command again"
    )
    assert time.monotonic() - killed < 60
    run.assert_gone()
    laws.unchanged(output)
    assert score_batch(slow_champion, str(source.path), str(output)).rows_reused > 0
    assert laws.parts_of(output) == reference(slow_champion, source)


@pytest.mark.slow
def test_a_run_without_any_worker_left_fails_in_place_of_waiting_for_ever(
    slow_champion, make_source, start, laws, cluster, tmp_path
):
    """The workers of a scheduler are gone for good."""
    address, (_, *workers) = cluster
    source, output = make_source(8), tmp_path / "out"
    run = start(slow_champion, source.path, output, "--cluster", address)
    assert run.await_records(1)
    for worker in workers:
        worker.kill()
    laws.failed(
        run.wait(seconds=300),
        "The Dask scheduler has had no worker for 120 s. What is done is kept",
    )
    laws.unchanged(output)


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_named(champion, make_source, start, laws, tmp_path):
    """Nothing listens at the address: the command says so in one sentence and leaves nothing."""
    run = start(champion, make_source(2).path, tmp_path / "out", "--cluster", "tcp://127.0.0.1:9")
    laws.failed(run.wait(), "tcp://127.0.0.1:9")
    laws.unchanged(tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [60])
def test_a_worker_that_stops_for_a_minute_delays_a_run_and_changes_nothing(
    slow_champion, make_source, start, laws, reference, tmp_path, seconds
):
    """A worker is stopped in the middle of its rows and goes on later."""
    source, output = make_source(8), tmp_path / "out"
    run = start(slow_champion, source.path, output, "--workers", "2")
    assert run.await_records(1)
    worker = _workers(run, 2)[0]
    worker.suspend()
    time.sleep(seconds)
    worker.resume()
    laws.finished(run.wait(), output, source.ids)
    assert laws.parts_of(output) == reference(slow_champion, source)
    run.assert_gone()


@pytest.mark.slow
def test_the_late_write_of_a_dead_runs_worker_changes_nothing(
    slow_champion, make_source, start, laws, reference, cluster, tmp_path
):
    """A worker stops in the middle of a piece, its run is killed, another finishes the work.

    Then the worker wakes up.
    """
    address, (_, *workers) = cluster
    source, output = make_source(8), tmp_path / "out"
    run = start(slow_champion, source.path, output, "--cluster", address)
    assert run.await_records(1)
    for worker in workers:
        worker.send_signal(signal.SIGSTOP)
    run.process.kill()
    run.wait()
    score_batch(slow_champion, str(source.path), str(output))
    assert laws.parts_of(output) == reference(slow_champion, source)
    laws.remember(output)
    for worker in workers:
        worker.send_signal(signal.SIGCONT)
    idle = [psutil.Process(worker.pid) for worker in workers]
    used = [worker.cpu_times().user for worker in idle]
    time.sleep(10)
    assert all(worker.cpu_times().user > before for worker, before in zip(idle, used, strict=True))
    laws.unchanged(output)
    laws.alone(output, source.ids)


@idempotent_task(task_run_name="hungry {bundle.number}")
def hungry(bundle, run, staging):
    """Score a bundle; one of more than two pieces takes all memory."""
    hoard = []
    while len(bundle.pieces) > 2:
        hoard.append(b"x" * (32 << 20))
        time.sleep(0.05)
    return score_bundle.fn(bundle, run, staging)


@pytest.mark.slow
def test_a_bundle_that_its_worker_died_of_for_lack_of_memory_is_scored_in_halves(
    champion, make_source, laws, reference, tmp_path, monkeypatch
):
    """Dask ends the worker near its memory limit.

    It has memory enough for the halves, and nobody notices.
    """
    source, output = make_source(8), tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr("distributed.system.MEMORY_LIMIT", 1 << 30)
        patched.setattr("flows.bundles.score_bundle", hungry)
        done = score_batch(champion, str(source.path), str(output), workers=1)
    assert (done.rows_scored, done.rows_reused) == (len(source.ids), 0)
    laws.alone(output, source.ids)
    assert laws.parts_of(output) == reference(champion, source)


@pytest.mark.slow
def test_a_piece_that_is_too_large_for_a_worker_ends_the_run_and_says_what_to_do(
    champion, make_source, laws, tmp_path, monkeypatch
):
    """Halves that die as well are not halved again."""
    monkeypatch.setattr("distributed.system.MEMORY_LIMIT", 1 << 30)
    monkeypatch.setattr("flows.bundles.score_bundle", hungry)
    with pytest.raises(
        AfterfitError, match=r"too little memory \(.* of 1\.00 GiB\): start fewer workers"
    ):
        score_batch(champion, str(make_source(20).path), str(tmp_path / "out"), workers=1)
    laws.unchanged(tmp_path / "out")

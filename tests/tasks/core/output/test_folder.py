"""What is particular to an output in a folder: its lock, its exchange, and one staging."""

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output.exchange import beside
from tasks.core.output.folder import FolderOutput
from tasks.core.output.manifest import MANIFEST_NAME, QUARANTINE
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import verify_output

KEY = "k" * 64
PART = "part-0"
HANGS = 60


@pytest.fixture
def output(tmp_path):
    return FolderOutput(str(tmp_path / "scores"))


def test_an_empty_folder_becomes_the_output(output, publish):
    Path(output.location).mkdir()
    publish(output, 1)
    assert verify_output(output.location) == []


def test_a_swap_that_a_dead_process_left_half_done_is_finished_first(output, publish):
    """The old output is away, the new one is not there yet: the old one comes back."""
    publish(output, 1)
    folder = Path(output.location)
    folder.rename(beside(folder, "old"))

    with output.locked():
        assert verify_output(output.location) == []
    publish(output, 2)
    assert verify_output(output.location) == []
    assert list(folder.parent.iterdir()) == [folder]


def test_a_new_attempt_shuts_the_dead_one_out(output, fail, tmp_path):
    """The dead one's folder is gone under its old name, so that a late write of it fails."""
    dead = fail(output, KEY, PART)
    with output.stage(KEY):
        with pytest.raises(FileNotFoundError):
            (Path(dead.parts) / "part-1").touch()
        assert not Path(dead.parts).exists()
    assert list(tmp_path.iterdir()) == []


def test_of_two_dead_attempts_one_is_taken_over_and_the_other_deleted(output, tmp_path):
    root = tmp_path / ".scores.staging"
    for attempt in ("1-a", "2-b"):
        (root / attempt / "records").mkdir(parents=True)
        (root / attempt / "records" / PART).touch()

    with output.stage(KEY) as staging:
        assert [path.name for path in Path(staging.records).iterdir()] == [PART]
        assert len(list(root.iterdir())) == 1


@pytest.mark.parametrize(
    "stray",
    [
        pytest.param(".part-0.1-1.tmp", id="a dead worker's unfinished part"),
        pytest.param("part-0000-0.parquet", id="a part of an older run"),
        pytest.param(MANIFEST_NAME, id="the manifest of an attempt that died just before"),
        pytest.param(f"{QUARANTINE}/part-0000-0.parquet", id="a quarantine of an older run"),
    ],
)
def test_what_no_record_knows_is_not_committed(output, make_scores, tmp_path, stray):
    scores = make_scores(1)
    with output.locked(), output.stage(scores.run_key) as staging:
        (Path(staging.parts) / stray).touch()
        output.commit(scores.write_to(staging), staging)
    assert verify_output(output.location) == []
    assert [path.name for path in tmp_path.iterdir()] == ["scores"]


def hold(location, held, release):
    with FolderOutput(location).locked():
        held.set()
        release.wait(HANGS)


def test_the_lock_is_exclusive_between_processes_and_free_after_a_death(output, tmp_path):
    spawn = multiprocessing.get_context("spawn")
    held, release = spawn.Event(), spawn.Event()
    holder = spawn.Process(target=hold, args=(output.location, held, release))
    holder.start()
    try:
        assert held.wait(HANGS)
        hurried = FolderOutput(output.location, lock_seconds=0.3)
        with (
            pytest.raises(AfterfitError, match=r"Another run has been writing to .* for 0\.3 s"),
            hurried.locked(),
        ):
            pytest.fail("two processes hold the lock")

        holder.kill()
        holder.join(HANGS)
        with FolderOutput(output.location, lock_seconds=30).locked():
            assert not release.is_set()
    finally:
        holder.kill()
        holder.join(HANGS)
    assert list(tmp_path.iterdir()) == []


def test_many_threads_take_the_lock_one_at_a_time(output):
    inside, most = [], []

    def enter():
        with output.locked():
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.005)
            inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_runs_that_commit_at_once_take_turns_and_the_last_one_stays_whole(output, publish):
    versions = range(1, 5)
    with ThreadPoolExecutor(len(versions)) as threads:
        list(threads.map(lambda version: publish(output, version), versions))
    found = set(read_scores(output.location)["model_version"].to_pylist())
    assert verify_output(output.location) == []
    assert len(found) == 1
    assert found < set(versions)


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(RequestError, match="cannot be written to"),
        FolderOutput(str(tmp_path / "file" / "scores")).locked(),
    ):
        pytest.fail("a file holds no folder")

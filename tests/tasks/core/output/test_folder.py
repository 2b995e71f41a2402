"""What is particular to an output in a folder: its lock, its exchange, and one staging."""

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output.beside import LOCK, STAGING, beside, claim
from tasks.core.output.exchange import JOURNAL, OLD
from tasks.core.output.folder import FolderOutput
from tasks.core.output.manifest import MANIFEST_NAME, QUARANTINE
from tasks.core.storage.files import list_sizes

KEY = "k" * 64
HANGS = 60


def test_an_empty_folder_becomes_the_output(folder):
    Path(folder.location).mkdir()
    folder.publish(1)
    assert folder.problems == []


def test_a_swap_that_a_dead_process_left_half_done_is_finished_first(folder):
    """The old output is away, the new one is not there yet: the old one comes back."""
    folder.publish(1)
    scores, path = folder.make_scores(2), Path(folder.location)
    with suppress(KeyboardInterrupt), folder.run(scores.run_key) as (_, staging):
        manifest = scores.write_to(staging)
        parts = Path(staging.parts)
        (parts / MANIFEST_NAME).write_text(manifest.to_json())
        root = beside(path, STAGING)
        (root / JOURNAL).write_text(str(parts.relative_to(root)))
        path.rename(root / OLD)
        raise KeyboardInterrupt

    with folder.open().locked() as told:
        assert told == (f"the scores in {path} are back: a run died while it replaced them",)
        assert folder.problems == []
        assert folder.version == 1

    folder.publish(2)
    assert folder.problems == []
    assert folder.neighbours() == ["scores"]


def test_a_new_attempt_shuts_the_dead_one_out(folder):
    """The dead one's folder is gone under its old name, so that a late write of it fails."""
    dead = folder.fail(KEY)
    with folder.run(KEY), pytest.raises(FileNotFoundError):
        folder.finish(dead)

    assert folder.neighbours() == []


def test_of_two_dead_attempts_one_is_taken_over_and_the_other_deleted(folder):
    root = beside(Path(folder.location), STAGING)
    claim(root)
    for attempt in ("1-a", "2-b"):
        records = root / attempt / "records"
        records.mkdir(parents=True)
        (records / "part-0").touch()

    with folder.run(KEY) as (_, staging):
        assert list(list_sizes(staging.records)) == ["part-0"]
        assert [path.name for path in root.iterdir() if path.is_dir()] == [
            Path(staging.parts).parent.name
        ]


STRAY = {
    "a dead worker's unfinished part": ".part-0.1-1.tmp",
    "a part of an older run": "part-0000-0.parquet",
    "the manifest of an attempt that died just before": MANIFEST_NAME,
    "a quarantine of an older run": f"{QUARANTINE}/part-0000-0.parquet",
}


@pytest.mark.parametrize("stray", STRAY.values(), ids=STRAY)
def test_what_no_record_knows_is_not_committed(folder, stray):
    scores = folder.make_scores(1)
    with folder.run(scores.run_key) as (output, staging):
        file = Path(staging.parts, stray)
        file.touch()
        manifest = scores.write_to(staging)
        output.commit(manifest, staging)

    assert folder.problems == []
    assert folder.neighbours() == ["scores"]


def hold(location, held, release):
    with FolderOutput(location).locked():
        held.set()
        release.wait(HANGS)


def test_the_lock_is_exclusive_between_processes_and_free_after_a_death(folder):
    location = folder.location
    spawn = multiprocessing.get_context("spawn")
    held, release = spawn.Event(), spawn.Event()
    holder = spawn.Process(target=hold, args=(location, held, release))
    holder.start()
    try:
        assert held.wait(HANGS)
        hurried = FolderOutput(location, lock_seconds=0.3)
        words = r"Another run has been writing to .* for 0\.3 s"
        with pytest.raises(AfterfitError, match=words), hurried.locked():
            pytest.fail("two processes hold the lock")

        holder.kill()
        holder.join(HANGS)
        with FolderOutput(location, lock_seconds=30).locked():
            assert not release.is_set()
    finally:
        holder.kill()
        holder.join(HANGS)

    assert folder.neighbours() == []


def test_many_threads_take_the_lock_one_at_a_time(folder):
    output = folder.open()
    inside, most = [], []

    def enter(_number):
        with output.locked():
            inside.append(threading.get_ident())
            most.append(len(inside))
            time.sleep(0.005)
            inside.pop()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(enter, range(8)))

    assert most == [1] * 8


def test_runs_that_commit_at_once_take_turns_and_the_last_one_stays_whole(folder):
    versions = [1, 2, 3, 4]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(folder.publish, versions))

    assert folder.problems == []
    assert folder.version in versions
    assert folder.neighbours() == ["scores"]


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path):
    file = tmp_path / "file"
    file.touch()
    output = FolderOutput(str(file / "scores"))

    with pytest.raises(RequestError, match="cannot be written to"), output.locked():
        pytest.fail("a file holds no folder")


def test_a_lock_that_is_waited_for_lets_its_run_be_stopped(folder):
    class StoppedError(Exception):
        pass

    def stop():
        raise StoppedError

    output = folder.open()
    with output.locked(), pytest.raises(StoppedError), output.locked(stop):
        pytest.fail("two hold the lock")
    assert folder.neighbours() == []


def test_a_lock_that_was_replaced_meanwhile_is_left_to_whoever_did_so(folder, tmp_path):
    path = beside(Path(folder.location), LOCK)
    with folder.open().locked():
        path.unlink()
        path.symlink_to("mine")
    assert folder.neighbours() == []
    assert path.is_symlink()

import fcntl
import multiprocessing
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output import exchange, folder
from tasks.core.output.exchange import swap
from tasks.core.output.folder import FolderOutput, folder_output
from tasks.core.output.manifest import MANIFEST_NAME, read_manifest
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import verify_output

ROWS = 8


@pytest.fixture(params=["exchange", "two renames"])
def each_swap(request, monkeypatch):
    """Swap as Linux can, and as a system without an exchange of folders has to."""
    if request.param == "two renames":
        monkeypatch.setattr(exchange, "exchange", lambda _one, _other: False)
    return request.param


@pytest.fixture
def publish(tmp_path, write_output):
    """Commit one version to an output, as a run does."""

    def commit_version(version, output=tmp_path / "scores"):
        target = FolderOutput(str(output))
        with target.locked(), target.stage("key") as staging:
            target.commit(write_output(Path(staging.parts), version), staging)
        return output

    return commit_version


def beside(output):
    return sorted(path.name for path in output.parent.iterdir() if path != output)


def test_the_first_commit_appears_whole_and_leaves_nothing_beside_it(publish):
    output = publish(1)
    assert verify_output(output) == []
    assert read_scores(output)["model_version"].to_pylist() == [1] * ROWS
    assert beside(output) == []


def test_nothing_is_seen_of_an_output_before_its_commit(tmp_path, write_output):
    output = tmp_path / "scores"
    with FolderOutput(str(output)).stage("key") as staging:
        write_output(Path(staging.parts), 1)
        assert not output.exists()
        assert read_manifest(output) is None


def test_an_empty_folder_becomes_the_output(publish, tmp_path):
    (tmp_path / "scores").mkdir()
    assert verify_output(publish(1)) == []


@pytest.mark.usefixtures("each_swap")
def test_a_swap_replaces_the_whole_output_and_leaves_nothing_beside_it(publish):
    publish(1)
    output = publish(2)
    assert verify_output(output) == []
    assert read_scores(output)["model_version"].to_pylist() == [2] * ROWS
    assert len(list(output.iterdir())) == 3
    assert beside(output) == []


@pytest.mark.usefixtures("each_swap")
def test_a_reader_during_swaps_sees_one_whole_version_and_never_an_older_one_again(publish):
    output = publish(0)
    seen, failures, done = [], [], threading.Event()

    def read():
        while not done.is_set():
            try:
                scores = read_scores(output)
            except Exception as error:  # noqa: BLE001 - whatever it is, the test reports it
                failures.append(error)
            else:
                seen.append(scores.to_pydict())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for version in range(1, 31):
            publish(version)
    finally:
        done.set()
        reader.join()
    assert failures == []
    assert len(seen) > 1
    versions = [scores["model_version"][0] for scores in seen]
    for scores, version in zip(seen, versions, strict=True):
        assert scores == {"row": list(range(ROWS)), "model_version": [version] * ROWS}
    assert versions == sorted(versions)
    assert read_scores(output)["model_version"].to_pylist() == [30] * ROWS


def test_folders_are_exchanged_in_one_step_or_not_at_all(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a").touch()
    (tmp_path / "other").mkdir()
    if not exchange.exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("this file system cannot exchange")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["a"]
    assert list((tmp_path / "one").iterdir()) == []
    assert exchange.exchange(tmp_path / "one", tmp_path / "none") is False


@pytest.mark.parametrize("crash_after", [0, 1, 2])
def test_after_a_crash_between_any_two_renames_the_output_is_the_old_or_the_new_one_whole(
    publish, write_output, monkeypatch, crash_after
):
    """And the next run finds a clean place: the output comes back before it starts."""
    output = publish(1)
    staging = output.parent / ".scores.staging" / "attempt"
    staging.mkdir(parents=True)
    (staging / MANIFEST_NAME).write_text(write_output(staging, 2).to_json())
    left = iter(range(crash_after))
    rename = type(output).rename

    def rename_until_killed(path, target):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(exchange, "exchange", lambda _one, _other: False)
    with monkeypatch.context() as patched:
        patched.setattr(type(output), "rename", rename_until_killed)
        if crash_after < 2:
            with pytest.raises(KeyboardInterrupt):
                swap(staging, output)
        else:
            swap(staging, output)
    assert output.exists() == (crash_after != 1)
    FolderOutput(str(output))._recover()
    assert verify_output(output) == []
    assert set(read_scores(output)["model_version"].to_pylist()) == {1 if crash_after < 2 else 2}
    assert verify_output(publish(3)) == []
    assert beside(output) == []


def test_recovering_where_nothing_happened_changes_nothing(publish):
    output = publish(1)
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    FolderOutput(str(output))._recover()
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


def test_staging_that_came_to_nothing_leaves_nothing_beside_the_output(tmp_path):
    with (
        suppress(KeyboardInterrupt),
        FolderOutput(str(tmp_path / "scores")).stage("key") as staging,
    ):
        (Path(staging.parts) / "part-unfinished.tmp").touch()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_new_attempt_takes_over_what_a_dead_one_finished_and_shuts_it_out(tmp_path):
    """The dead one's folder is gone under its old name: a late write of it fails, and nothing else
    is left.
    """
    target = FolderOutput(str(tmp_path / "scores"))
    with suppress(KeyboardInterrupt), target.stage("key") as dead:
        for folder in (dead.parts, dead.records):
            (Path(folder) / "part-0").touch()
        raise KeyboardInterrupt
    assert target.failure() == "an attempt was begun and not finished"
    target.remember("too hot")
    assert target.failure() == "too hot"
    with target.stage("key") as staging:
        assert [
            [path.name for path in Path(folder).glob("part-*")]
            for folder in (staging.parts, staging.records)
        ] == [
            ["part-0"],
            ["part-0"],
        ]
        with pytest.raises(FileNotFoundError):
            (Path(dead.parts) / "part-1").touch()
    assert list(tmp_path.iterdir()) == []
    assert target.failure() is None


def test_of_two_dead_attempts_one_is_taken_over_and_the_other_deleted(tmp_path):
    for attempt in ("1-a", "2-b"):
        (tmp_path / ".scores.staging" / attempt / "records").mkdir(parents=True)
        (tmp_path / ".scores.staging" / attempt / "records" / "part-0").touch()
    with FolderOutput(str(tmp_path / "scores")).stage("key") as staging:
        assert [path.name for path in Path(staging.records).iterdir()] == ["part-0"]
        assert len(list((tmp_path / ".scores.staging").iterdir())) == 1


def test_what_no_record_knows_is_not_committed(tmp_path, write_output):
    """A dead worker's unfinished part, a part of an older run, and the manifest of an attempt that
    died just before.
    """
    target = FolderOutput(str(tmp_path / "scores"))
    with target.locked(), target.stage("key") as staging:
        parts = Path(staging.parts)
        for stray in (
            ".part-0.1-1.tmp",
            "part-0000-0.parquet",
            MANIFEST_NAME,
            "_quarantine/part-0000-0.parquet",
        ):
            (parts / stray).touch()
        target.commit(write_output(parts, 1), staging)
    assert verify_output(tmp_path / "scores") == []
    assert beside(tmp_path / "scores") == []


def folder_with(path, *names):
    path.mkdir()
    for name in names:
        (path / name).touch()
    return str(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _: "scores", "is a relative path"),
        (lambda _: "./scores", "is a relative path"),
        (lambda tmp: (tmp / "file").touch() or str(tmp / "file"), "is a file"),
        (
            lambda tmp: folder_with(tmp / "mine", "notes.txt"),
            r"no scores of afterfit \(notes.txt\)",
        ),
        (lambda tmp: folder_with(tmp / "mine", ".git"), "no scores of afterfit"),
        (lambda tmp: folder_with(tmp / "mine", "part-0.parquet"), "no scores of afterfit"),
        (
            lambda tmp: folder_with(tmp / "mine", MANIFEST_NAME, "part-0.parquet", "notes.txt"),
            r"\(notes.txt\)",
        ),
    ],
)
def test_an_output_that_would_destroy_or_cannot_hold_anything_is_refused(tmp_path, make, words):
    with pytest.raises(RequestError, match=words):
        folder_output(make(tmp_path))


@pytest.mark.parametrize(
    "make",
    [
        lambda tmp: str(tmp / "new" / "deep"),
        lambda tmp: folder_with(tmp / "empty"),
        lambda tmp: folder_with(tmp / "scores", MANIFEST_NAME, "part-0.parquet", "_quarantine"),
    ],
)
def test_a_new_an_empty_and_a_committed_folder_are_outputs(tmp_path, make):
    output = make(tmp_path)
    assert folder_output(output).location == os.path.realpath(output)


def test_a_mount_point_is_refused_before_anything_is_scored():
    with pytest.raises(RequestError, match="is a mount point"):
        folder_output("/proc")


def test_an_output_behind_a_link_is_the_folder_it_leads_to(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for path in (tmp_path / "link" / ".." / "real", tmp_path / "link"):
        assert folder_output(str(path)).location == str((tmp_path / "real").resolve())


def hold(output, held, release):
    with FolderOutput(output).locked():
        held.set()
        release.wait(60)


def test_the_lock_is_exclusive_between_processes_and_free_after_a_death(tmp_path, monkeypatch):
    output = str(tmp_path / "scores")
    spawn = multiprocessing.get_context("spawn")
    held, release = spawn.Event(), spawn.Event()
    holder = spawn.Process(target=hold, args=(output, held, release))
    holder.start()
    try:
        assert held.wait(60)
        monkeypatch.setattr(folder, "LOCK_SECONDS", 0.3)
        with (
            pytest.raises(AfterfitError, match="Another run has been writing to"),
            FolderOutput(output).locked(),
        ):
            pytest.fail("two processes hold the lock")
        holder.kill()
        holder.join(60)
        monkeypatch.setattr(folder, "LOCK_SECONDS", 30)
        with FolderOutput(output).locked():
            assert not release.is_set()
    finally:
        holder.kill()
        holder.join(60)
    assert list(tmp_path.iterdir()) == []


def test_many_threads_take_the_lock_one_at_a_time(tmp_path):
    output = str(tmp_path / "scores")
    inside, most = [], []

    def enter():
        with FolderOutput(output).locked():
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


def test_the_lock_of_a_file_that_was_removed_meanwhile_is_no_lock(tmp_path, monkeypatch):
    path = tmp_path / ".scores.lock"
    flock = fcntl.flock

    def flock_and_lose(descriptor, operation):
        flock(descriptor, operation)
        path.unlink()

    monkeypatch.setattr(fcntl, "flock", flock_and_lose)
    assert folder._try_lock(path) is None


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(RequestError, match="cannot be written to"),
        FolderOutput(str(tmp_path / "file" / "scores")).locked(),
    ):
        pytest.fail("a file holds no folder")


def test_a_place_inside_of_scores_is_no_output(tmp_path):
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / MANIFEST_NAME).write_text("{}")
    with pytest.raises(
        RequestError, match="scores, which holds scores: a replacement would delete it"
    ):
        folder_output(str(tmp_path / "scores" / "more" / "new"))

"""Outputs on object stores: an in-memory one, and a real S3 server in a process of its own."""

import threading
import time
import uuid
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output import object_store
from tasks.core.output.folder import FolderOutput
from tasks.core.output.manifest import MANIFEST_NAME, QUARANTINE, parts_folder, read_manifest
from tasks.core.output.object_store import ObjectOutput
from tasks.core.output.open import open_output
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import is_whole, verify_output
from tasks.core.storage.files import delete, list_sizes, read_whole, write_whole
from tasks.core.storage.location import join

ROWS = 8
PART = "part-kkkkkkkk-00000.parquet"


@pytest.fixture(params=["memory", "s3"])
def location(request):
    """A place for an output that is empty yet."""
    root = request.getfixturevalue("s3") if request.param == "s3" else "memory:/"
    return f"{root}/{uuid.uuid4().hex}/scores"


@pytest.fixture
def publish(tmp_path, location, write_output):
    """Commit one version to an output on the store, as a run does."""

    def commit_version(version, target=None):
        target = target or open_output(location)
        folder = tmp_path / uuid.uuid4().hex
        manifest = write_output(folder, version)
        with target.locked(), target.stage(manifest.run_key) as staging:
            manifest = replace(manifest, folder=staging.folder)
            for part in manifest.parts:
                write_whole(join(staging.parts, part.name), (folder / part.name).read_bytes())
                write_whole(join(staging.records, f"{part.name}.json"), b"{}")
            target.commit(manifest, staging)
        return location

    return commit_version


@pytest.fixture
def begin(location):
    """Begin an attempt that does not end during the test, as if it were killed."""
    with ExitStack() as attempts:
        yield lambda run_key: attempts.enter_context(open_output(location).stage(run_key))


def test_files_are_written_listed_and_deleted(location):
    assert list_sizes(location) == {}
    write_whole(join(location, "a"), b"123")
    write_whole(join(location, "sub", "b"), b"1")
    assert list_sizes(location) == {"a": 3, "sub": 0}
    assert read_whole(join(location, "a")) == b"123"
    delete(join(location, "none"))
    delete(location)
    assert list_sizes(location) == {}
    with pytest.raises(FileNotFoundError):
        read_whole(join(location, "a"))


def test_an_output_is_committed_verified_read_and_replaced(publish, location):
    publish(1)
    assert (verify_output(location), is_whole(location, read_manifest(location))) == ([], True)
    assert read_scores(location)["model_version"].to_pylist() == [1] * ROWS
    publish(2)
    assert verify_output(location) == []
    assert read_scores(location)["model_version"].to_pylist() == [2] * ROWS
    manifest = read_manifest(location)
    assert sorted(list_sizes(location)) == [MANIFEST_NAME, "_runs"]
    assert [join("_runs", attempt) for attempt in list_sizes(join(location, "_runs"))] == [
        manifest.folder
    ]
    assert sorted(list_sizes(parts_folder(location, manifest))) == [
        part.name for part in manifest.parts
    ]


def attempt(location, name=PART, content=b"x"):
    """Let an attempt finish one part and fail; give where it wrote."""
    with suppress(KeyboardInterrupt), open_output(location).stage("k" * 64) as staging:
        write_whole(join(staging.parts, name), content)
        write_whole(join(staging.parts, QUARANTINE, name), content)
        write_whole(join(staging.records, f"{name}.json"), content)
        raise KeyboardInterrupt
    return staging


def test_before_the_manifest_nothing_is_committed_and_the_attempt_is_known(publish, location):
    attempt(location)
    assert read_manifest(location) is None
    again = open_output(location)
    assert again.failure() == "an attempt was begun and not finished"
    again.remember("too hot")
    assert open_output(location).failure() == "too hot"
    publish(1)
    assert open_output(location).failure() is None


def test_an_attempt_takes_copies_of_what_the_same_run_has_finished_and_deletes_those_that_have_ended(
    begin,
    location,
):
    ended = attempt(location)
    other = "part-kkkkkkkk-00001.parquet"
    staging = begin("k" * 64)  # no end: it was killed
    write_whole(join(staging.parts, other), b"y")
    write_whole(join(staging.records, f"{other}.json"), b"y")
    assert list_sizes(ended.parts) == list_sizes(ended.records) == {}
    foreign = attempt(f"{location}-of-others")
    with open_output(location).stage("k" * 64) as third:
        write_whole(join(staging.parts, PART), b"of a worker that wakes up late")
        assert {name: read_whole(join(third.parts, name)) for name in (PART, other)} == {
            PART: b"x",
            other: b"y",
        }
        assert read_whole(join(third.parts, QUARANTINE, PART)) == b"x"
        assert sorted(list_sizes(third.records)) == [f"{PART}.json", f"{other}.json"]
    with open_output(location).stage("another") as unrelated:
        assert list_sizes(unrelated.records) == list_sizes(unrelated.parts) == {}
    assert read_whole(join(foreign.parts, PART)) == b"x"


def test_an_attempt_without_a_finished_part_leaves_nothing(location):
    with suppress(KeyboardInterrupt), open_output(location).stage("k" * 64) as staging:
        write_whole(join(staging.parts, PART), b"x")
        raise KeyboardInterrupt
    assert list_sizes(location) == {}


def test_a_worker_of_a_dead_attempt_cannot_change_what_was_committed(begin, publish, location):
    """Neither while the next attempt is at work nor after its commit."""
    dead = begin("0" * 64)
    write_whole(join(dead.records, f"{PART}.json"), b"{}")
    publish(1)
    manifest = read_manifest(location)
    for part in manifest.parts:
        write_whole(join(dead.parts, part.name), b"late")
    write_whole(join(dead.records, f"{manifest.parts[0].name}.json"), b"late")
    assert (verify_output(location), len(read_scores(location))) == ([], ROWS)


def test_what_a_commit_had_no_time_to_delete_goes_when_the_same_run_is_asked_for_again(
    publish, location, monkeypatch
):
    publish(1)
    dead = attempt(location)
    with monkeypatch.context() as patched:
        patched.setattr(ObjectOutput, "clean", lambda *_: None)
        publish(2)
    assert len(list_sizes(join(location, "_runs"))) > 1
    begun_since = attempt(location)
    open_output(location).clean(read_manifest(location))
    assert list_sizes(dead.parts) == {}
    assert read_whole(join(begun_since.parts, PART)) == b"x", "it may commit yet"
    assert verify_output(location) == []


def test_an_attempt_that_fails_because_another_run_has_committed_says_so(publish, location):
    publish(1)
    target = open_output(location)

    def fail():
        with target.stage("k" * 64) as staging:
            write_whole(join(staging.records, f"{PART}.json"), b"{}")
            publish(2)
            read_whole(join(staging.parts, PART))

    with pytest.raises(AfterfitError, match="Another run has committed to"):
        fail()
    assert read_scores(location)["model_version"].to_pylist() == [2] * ROWS


def interrupted(*_):
    raise KeyboardInterrupt


def late(write):
    """Let a store write, and not get to say so: what tried again is told that the object is another
    one now.
    """

    def write_and_refuse(*arguments):
        write(*arguments)
        raise FileExistsError("412")

    return write_and_refuse


@pytest.mark.parametrize("fault", ["cleaning", "after", "answer", "refusal"])
def test_whatever_fails_after_the_manifest_was_written_the_output_stays_and_so_it_does_when_others_begin(
    publish, location, monkeypatch, fault
):
    publish(1)
    with monkeypatch.context() as patched, suppress(KeyboardInterrupt, OSError):
        if fault == "cleaning":
            patched.setattr(ObjectOutput, "clean", interrupted)
        elif fault == "after":
            commit = ObjectOutput.commit
            patched.setattr(ObjectOutput, "commit", lambda *given: interrupted(commit(*given)))
        else:
            lost = late(object_store.write_if_unchanged)
            patched.setattr(object_store, "write_if_unchanged", lost)
        publish(2)
    assert verify_output(location) == []
    assert read_scores(location)["model_version"].to_pylist() == [2] * ROWS
    attempt(location)
    open_output(location).clean(read_manifest(location))
    with open_output(location).stage("another"):
        assert verify_output(location) == []


def test_an_attempt_copies_just_what_it_does_not_have_yet(begin, location, monkeypatch):
    """However often the same run is killed."""
    copied = []
    for number in range(4):
        with monkeypatch.context() as patched:
            copy = object_store.copy_all
            patched.setattr(
                object_store,
                "copy_all",
                lambda one, two, names, copy=copy: copied.append(names) or copy(one, two, names),
            )
            staging = begin("k" * 64)
        write_whole(join(staging.parts, f"part-{number}"), b"x")
        write_whole(join(staging.records, f"part-{number}.json"), b"x")
    records = [sorted(names) for names in copied if any(name.endswith(".json") for name in names)]
    assert max(map(len, records)) <= 3
    assert sum(map(len, records)) == 1 + 2 + 3


def test_a_commit_deletes_what_attempts_have_left_that_can_commit_no_more(begin, publish, location):
    """Where a store does not compare manifests, one that is alive may overwrite this one: then its
    parts are there.
    """
    publish(1)
    ended, alive = attempt(location), begin("a" * 64)
    write_whole(join(alive.parts, PART), b"x")
    publish(2)
    assert list_sizes(ended.parts) == list_sizes(ended.records) == {}
    assert (PART in list_sizes(alive.parts)) is not location.startswith("s3")
    assert len(list_sizes(join(location, "_runs"))) == (1 if location.startswith("s3") else 2)
    assert verify_output(location) == []


@pytest.mark.parametrize("first", [None, 1], ids=["onto nothing", "onto older scores"])
def test_of_two_runs_that_commit_at_once_the_second_fails_and_the_first_stays_whole(
    publish, location, first
):
    if first:
        publish(first)
    one, other = open_output(location), open_output(location)
    publish(2, one)
    with pytest.raises(AfterfitError, match="Another run has committed to"):
        publish(3, other)
    assert read_scores(location)["model_version"].to_pylist() == [2] * ROWS
    assert verify_output(location) == []  # what the loser left is not in the way
    publish(4)
    assert verify_output(location) == []


def test_of_two_runs_of_the_same_key_that_commit_at_once_both_have_committed(publish, location):
    one, other = open_output(location), open_output(location)
    publish(1, one)
    publish(1, other)
    assert (verify_output(location), len(read_scores(location))) == ([], ROWS)


def test_a_damaged_missing_or_foreign_part_is_found(publish, location):
    publish(1)
    manifest = read_manifest(location)
    first, second = (part.name for part in manifest.parts)
    folder = parts_folder(location, manifest)
    content = bytearray(read_whole(join(folder, first)))
    content[40] ^= 1
    write_whole(join(folder, first), bytes(content))
    delete(join(folder, second))
    write_whole(join(folder, "part-ffffffff-00000.parquet"), b"x")
    write_whole(join(location, "notes.txt"), b"x")
    assert verify_output(location) == [
        f"{first}: its content has changed",
        f"{second}: missing",
        "notes.txt: not in the manifest",
        "part-ffffffff-00000.parquet: not in the manifest",
    ]


def test_a_reader_during_replacements_sees_one_whole_version_and_never_an_older_one_again(
    publish, location
):
    publish(0)
    seen, failures, done = [], [], threading.Event()

    def read():
        while not done.is_set():
            try:
                seen.append(read_scores(location).to_pydict())
            except Exception as error:  # noqa: BLE001 - whatever it is, the test reports it
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for version in range(1, 500):
            publish(version)
            time.sleep(
                0.01
            )  # or the reader of a busy machine gets no turn between hundreds of replacements
            if len(seen) > 5 or failures:
                break
    finally:
        done.set()
        reader.join()
    assert failures == []
    assert len(seen) > 1
    versions = [scores["model_version"][0] for scores in seen]
    for scores, version in zip(seen, versions, strict=True):
        assert scores == {"row": list(range(ROWS)), "model_version": [version] * ROWS}
    assert versions == sorted(versions)


def test_what_a_path_or_url_names_is_found_out(tmp_path, location):
    assert isinstance(open_output(str(tmp_path / "scores")), FolderOutput)
    assert isinstance(open_output(location), ObjectOutput)
    write_whole(join(location, "notes.txt"), b"mine")
    with pytest.raises(RequestError, match=r"no scores of afterfit \(notes.txt\)"):
        open_output(location)
    with pytest.raises(RequestError, match="leave user and password out"):
        open_output("s3://key:secret@bucket/scores")

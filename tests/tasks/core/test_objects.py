"""Outputs on object stores: an in-memory one, and a real S3 server in a process of its own."""

import threading
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from tasks.core.commit import FolderOutput
from tasks.core.errors import AfterfitError, RequestError
from tasks.core.files import delete, join, list_sizes, read_whole, write_whole
from tasks.core.manifest import NAME, read_manifest, read_scores
from tasks.core.objects import ObjectOutput, open_output
from tasks.core.verify import is_whole, verify_output

ROWS = 8


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
        with target.locked(), target.stage(manifest.run_key, tmp_path) as staging:
            for part in manifest.parts:
                write_whole(join(staging.parts, part.name), (folder / part.name).read_bytes())
                write_whole(join(staging.records, f"{part.name}.json"), b"{}")
            target.commit(manifest, staging)
        return location

    return commit_version


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
    assert sorted(list_sizes(location)) == sorted([NAME, *(part.name for part in read_manifest(location).parts)])


def test_before_the_manifest_nothing_is_committed_and_the_attempt_is_known(location):
    target = open_output(location)
    with suppress(KeyboardInterrupt), target.stage("k" * 64, Path()) as staging:
        write_whole(join(staging.parts, "part-kkkkkkkk-00000.parquet"), b"x")
        write_whole(join(staging.records, "part-kkkkkkkk-00000.parquet.json"), b"{}")
        raise KeyboardInterrupt
    assert read_manifest(location) is None
    again = open_output(location)
    assert again.begun()
    again.discard()
    assert not open_output(location).begun()


@pytest.mark.parametrize("first", [None, 1], ids=["onto nothing", "onto older scores"])
def test_of_two_runs_that_commit_at_once_the_second_fails_and_the_first_stays_whole(publish, location, first):
    if first:
        publish(first)
    one, other = open_output(location), open_output(location)
    publish(2, one)
    with pytest.raises(AfterfitError, match="Another run has committed to"):
        publish(3, other)
    assert read_scores(location)["model_version"].to_pylist() == [2] * ROWS
    publish(4)  # and what the loser left is cleared away
    assert verify_output(location) == []


def test_a_damaged_missing_or_foreign_part_is_found(publish, location):
    publish(1)
    first, second = (part.name for part in read_manifest(location).parts)
    content = bytearray(read_whole(join(location, first)))
    content[40] ^= 1
    write_whole(join(location, first), bytes(content))
    delete(join(location, second))
    write_whole(join(location, "part-ffffffff-00000.parquet"), b"x")
    assert verify_output(location) == [
        f"{first}: its content has changed",
        f"{second}: missing",
        "part-ffffffff-00000.parquet: not in the manifest",
    ]


def test_a_reader_during_replacements_sees_one_whole_version_and_never_an_older_one_again(publish, location):
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
        for version in range(1, 11):
            publish(version)
    finally:
        done.set()
        reader.join()
    assert failures == []
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

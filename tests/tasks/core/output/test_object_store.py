"""What is particular to an output on an object store: conditional commits, and many attempts.

The stores are one in memory, which cannot compare a manifest itself, and a real S3 server, which
can.
"""

import pytest

from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import MANIFEST_NAME, QUARANTINE, parts_folder, read_manifest
from tasks.core.output.open import open_output
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import verify_output
from tasks.core.storage.files import delete, list_sizes, read_whole, write_whole
from tasks.core.storage.location import join, open_filesystem

KEY = "k" * 64
PART = "part-kkkkkkkk-00000.parquet"


@pytest.fixture
def break_store(url, monkeypatch):
    """Replace one operation of the store with another that is made of it."""

    def replace_operation(patched, name, make):
        filesystem, _ = open_filesystem(url)
        patched.setattr(filesystem, name, make(getattr(filesystem, name)))

    return replace_operation


def version_in(url):
    (version,) = set(read_scores(url)["model_version"].to_pylist())
    return version


def test_an_attempt_copies_what_its_run_has_finished_and_deletes_what_has_ended(
    url, fail, begin, finish
):
    """An attempt that was killed has told no end: a late worker of it still finds its folder."""
    other_part = "part-kkkkkkkk-00001.parquet"
    ended = fail(open_output(url), KEY, PART)
    killed = begin(open_output(url), KEY)
    finish(killed, other_part, b"y")
    assert list_sizes(ended.parts) == list_sizes(ended.records) == {}

    foreign = fail(open_output(f"{url}-of-others"), KEY, PART)
    with open_output(url).stage(KEY) as third:
        write_whole(join(killed.parts, PART), b"of a worker that wakes up late")
        assert read_whole(join(third.parts, PART)) == b"x"
        assert read_whole(join(third.parts, other_part)) == b"y"
        assert read_whole(join(third.parts, QUARANTINE, PART)) == b"x"
        assert sorted(list_sizes(third.records)) == [f"{PART}.json", f"{other_part}.json"]
    assert read_whole(join(foreign.parts, PART)) == b"x"


def test_an_attempt_takes_nothing_from_another_run(url, fail):
    fail(open_output(url), KEY, PART)
    with open_output(url).stage("another") as staging:
        assert list_sizes(staging.records) == list_sizes(staging.parts) == {}


def test_an_attempt_has_its_tables_in_a_folder_of_this_machine_that_goes_with_it(url, tmp_path):
    with open_output(url).stage(KEY) as staging:
        write_whole(join(staging.tables, "copy.parquet"), b"x")
        assert list_sizes(staging.tables) == {"copy.parquet": 1}
    assert list_sizes(staging.tables) == {}


def test_a_killed_attempt_of_any_run_cannot_change_what_was_committed(url, publish, begin, finish):
    killed = begin(open_output(url), "0" * 64)
    finish(killed, PART)
    publish(open_output(url), 1)
    for part in read_manifest(url).parts:
        finish(killed, part.name, b"late")
    assert verify_output(url) == []
    assert version_in(url) == 1


def test_what_a_commit_cannot_delete_goes_when_the_same_run_is_asked_for_again(
    url, publish, make_scores, fail, break_store, monkeypatch
):
    def refuse(_rm):
        def rm(*_arguments, **_options):
            raise OSError("503")

        return rm

    publish(open_output(url), 1)
    replaced = parts_folder(url, read_manifest(url))
    output, scores = open_output(url), make_scores(2)
    with output.stage(scores.run_key) as staging:
        ended = fail(open_output(url), KEY, PART)
        with monkeypatch.context() as patched:
            break_store(patched, "rm", refuse)
            output.commit(scores.write_to(staging), staging)
    assert len(list_sizes(join(url, "_runs"))) == 3
    assert len(list_sizes(replaced)) == 2

    begun_since = fail(open_output(url), "b" * 64, PART)
    open_output(url).clean(read_manifest(url))
    assert list_sizes(replaced) == list_sizes(ended.parts) == list_sizes(ended.records) == {}
    assert read_whole(join(begun_since.parts, PART)) == b"x", "it may commit yet"
    assert verify_output(url) == []


def test_an_attempt_that_fails_because_another_run_has_committed_says_so(url, publish, finish):
    publish(open_output(url), 1)
    output = open_output(url)

    def fail():
        with output.stage(KEY) as staging:
            write_whole(join(staging.records, f"{PART}.json"), b"{}")
            publish(open_output(url), 2)
            read_whole(join(staging.parts, PART))

    with pytest.raises(AfterfitError, match="Another run has committed to"):
        fail()
    assert version_in(url) == 2


def test_a_commit_whose_confirmation_is_lost_has_committed(
    url, publish, fail, break_store, monkeypatch
):
    """The store writes the manifest and does not get to say so.

    What then tries again is told that the object is another one now.
    """

    def lose_confirmation(pipe_file):
        def write_and_refuse(path, *arguments, **options):
            pipe_file(path, *arguments, **options)
            if path.endswith(MANIFEST_NAME):
                raise FileExistsError("412")

        return write_and_refuse

    publish(open_output(url), 1)
    with monkeypatch.context() as patched:
        break_store(patched, "pipe_file", lose_confirmation)
        publish(open_output(url), 2)
    assert verify_output(url) == []
    assert version_in(url) == 2

    fail(open_output(url), KEY, PART)
    open_output(url).clean(read_manifest(url))
    with open_output(url).stage("another"):
        assert verify_output(url) == []


@pytest.mark.parametrize("interrupted", ["rm", "after"])
def test_an_interrupted_commit_stays_when_others_begin(
    url, publish, make_scores, fail, break_store, monkeypatch, interrupted
):
    """It is interrupted when its manifest is written: while it deletes, or right after."""

    def interrupt(_rm):
        def rm(*_arguments, **_options):
            raise KeyboardInterrupt

        return rm

    publish(open_output(url), 1)
    output, scores = open_output(url), make_scores(2)

    def commit():
        with output.stage(scores.run_key) as staging, monkeypatch.context() as patched:
            manifest = scores.write_to(staging)
            if interrupted == "rm":
                break_store(patched, "rm", interrupt)
            output.commit(manifest, staging)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commit()
    assert verify_output(url) == []
    assert version_in(url) == 2

    fail(open_output(url), KEY, PART)
    open_output(url).clean(read_manifest(url))
    with open_output(url).stage("another"):
        assert verify_output(url) == []


def test_a_commit_deletes_the_attempts_that_can_commit_no_more(url, publish, fail, begin):
    """Where a store does not compare manifests, one that is alive may overwrite this one.

    Then its parts are there.
    """
    publish(open_output(url), 1)
    ended = fail(open_output(url), KEY, PART)
    alive = begin(open_output(url), "a" * 64)
    write_whole(join(alive.parts, PART), b"x")

    publish(open_output(url), 2)
    is_conditional = url.startswith("s3")
    assert list_sizes(ended.parts) == list_sizes(ended.records) == {}
    assert (PART in list_sizes(alive.parts)) is not is_conditional
    assert len(list_sizes(join(url, "_runs"))) == (1 if is_conditional else 2)
    assert verify_output(url) == []


@pytest.mark.parametrize("first", [None, 1], ids=["onto nothing", "onto older scores"])
def test_of_two_runs_that_commit_at_once_the_second_fails(url, publish, first):
    """The first stays whole, and what the loser left is not in the way."""
    if first:
        publish(open_output(url), first)
    one, other = open_output(url), open_output(url)
    publish(one, 2)
    with pytest.raises(AfterfitError, match="Another run has committed to"):
        publish(other, 3)
    assert version_in(url) == 2
    assert verify_output(url) == []

    publish(open_output(url), 4)
    assert verify_output(url) == []


def test_a_damaged_missing_or_foreign_part_is_found(url, publish):
    publish(open_output(url), 1)
    manifest = read_manifest(url)
    first, second = (part.name for part in manifest.parts)
    folder = parts_folder(url, manifest)
    content = bytearray(read_whole(join(folder, first)))
    content[40] ^= 1

    write_whole(join(folder, first), bytes(content))
    delete(join(folder, second))
    write_whole(join(folder, "part-ffffffff-00000.parquet"), b"x")
    write_whole(join(url, "notes.txt"), b"x")
    assert verify_output(url) == [
        f"{first}: its content has changed",
        f"{second}: missing",
        "notes.txt: not in the manifest",
        "part-ffffffff-00000.parquet: not in the manifest",
    ]

"""What is particular to an output on an object store: conditional commits, and many attempts.

The stores are one in memory, which cannot compare a manifest itself, and a real S3 server, which
can.
"""

from dataclasses import replace

import pytest

from tasks.core.errors import AfterfitError
from tasks.core.output.manifest import MANIFEST_NAME, RUNS
from tasks.core.storage.files import delete, list_sizes, read_whole, write_whole
from tasks.core.storage.location import join, open_filesystem

KEY = "k" * 64
OTHER = "a" * 64
PART = "part-kkkkkkkk-00000.parquet"


@pytest.fixture
def filesystem(store):
    """The file system of the store: one object for all who open it, so that tests can break it."""
    return open_filesystem(store.location)[0]


def is_empty(staging):
    """Return whether there is nothing of an attempt."""
    return list_sizes(staging.parts) == list_sizes(staging.records) == {}


def refuse(*_arguments, **_options):
    raise OSError("503")


def interrupt(*_arguments, **_options):
    raise KeyboardInterrupt


def test_an_attempt_copies_what_its_run_has_finished_and_deletes_what_has_ended(store, begin):
    """One that was killed has told no end, and its worker still finds a folder to write to."""
    second = "part-kkkkkkkk-00001.parquet"
    ended = store.fail(KEY, PART)
    killed = begin(store.open(), KEY)
    store.finish(killed, second, b"y")
    assert is_empty(ended)

    with store.run(KEY) as (_, third):
        store.finish(killed, PART, b"of a worker that wakes up late")
        assert store.read_finished(third, PART) == b"x"
        assert store.read_finished(third, second) == b"y"
        assert len(list_sizes(third.records)) == 2


def test_an_attempt_takes_nothing_from_another_run(store):
    store.fail(KEY)
    with store.run(OTHER) as (_, staging):
        assert is_empty(staging)


def test_an_attempt_touches_nothing_of_another_output(store):
    others = replace(store, location=f"{store.location}-of-others")
    foreign = others.fail(KEY)
    with store.run(KEY) as (_, staging):
        assert is_empty(staging)

    store.publish(1)
    assert store.read_finished(foreign) == b"x"


def test_an_attempt_has_its_tables_in_a_folder_of_this_machine_that_goes_with_it(store):
    with store.run(KEY) as (_, staging):
        write_whole(join(staging.tables, "copy.parquet"), b"x")
        assert list_sizes(staging.tables) == {"copy.parquet": 1}

    assert list_sizes(staging.tables) == {}


def test_a_killed_attempt_of_any_run_cannot_change_what_was_committed(store, begin):
    killed = begin(store.open(), OTHER)
    store.finish(killed)

    store.publish(1)
    for name in store.manifest.scored_names:
        store.finish(killed, name, b"late")

    assert store.problems == []
    assert store.version == 1


def test_what_a_commit_cannot_delete_goes_when_the_same_run_is_asked_for_again(
    store, filesystem, monkeypatch
):
    store.publish(1)
    replaced = store.parts
    scores = store.make_scores(2)
    with store.run(scores.run_key) as (output, staging), monkeypatch.context() as patched:
        ended = store.fail(KEY)
        manifest = scores.write_to(staging)
        patched.setattr(filesystem, "rm", refuse)
        output.commit(manifest, staging)

    assert len(store.names(RUNS)) == 3
    assert len(list_sizes(replaced)) == 2

    begun_since = store.fail(OTHER)
    store.open().clean(store.manifest)
    assert list_sizes(replaced) == {}
    assert is_empty(ended)
    assert store.read_finished(begun_since) == b"x", "it may commit yet"
    assert store.problems == []


def test_an_attempt_that_fails_because_another_run_has_committed_says_so(store):
    store.publish(1)

    def fail():
        with store.run(KEY) as (_, staging):
            store.finish(staging)
            store.publish(2)
            store.read_finished(staging, "none")

    with pytest.raises(AfterfitError, match="Another run has committed to"):
        fail()

    assert store.version == 2


def assert_stays_when_others_begin(store):
    store.fail(KEY)
    store.open().clean(store.manifest)
    with store.run(OTHER):
        assert store.problems == []
        assert store.version == 2


def test_a_commit_whose_confirmation_is_lost_has_committed(store, filesystem, monkeypatch):
    """The store writes the manifest and does not get to say so.

    What then tries again is told that the object is another one now.
    """
    pipe_file = filesystem.pipe_file

    def lose_confirmation(path, *arguments, **options):
        pipe_file(path, *arguments, **options)
        if path.endswith(MANIFEST_NAME):
            raise FileExistsError("412")

    store.publish(1)
    with monkeypatch.context() as patched:
        patched.setattr(filesystem, "pipe_file", lose_confirmation)
        store.publish(2)

    assert store.problems == []
    assert_stays_when_others_begin(store)


def test_a_commit_that_is_interrupted_while_it_deletes_has_committed(
    store, filesystem, monkeypatch
):
    store.publish(1)
    scores = store.make_scores(2)

    def commit():
        with store.run(scores.run_key) as (output, staging), monkeypatch.context() as patched:
            manifest = scores.write_to(staging)
            patched.setattr(filesystem, "rm", interrupt)
            output.commit(manifest, staging)

    with pytest.raises(KeyboardInterrupt):
        commit()

    assert store.problems == []
    assert_stays_when_others_begin(store)


def test_a_commit_deletes_the_attempts_that_can_commit_no_more(store, begin):
    """Where a store does not compare manifests, one that is alive may overwrite this one.

    Then its parts are there.
    """
    is_conditional = store.location.startswith("s3")
    store.publish(1)
    ended = store.fail(KEY)
    alive = begin(store.open(), OTHER)
    write_whole(join(alive.parts, PART), b"x")

    store.publish(2)
    assert store.problems == []
    assert is_empty(ended)
    assert is_empty(alive) is is_conditional
    runs = store.names(RUNS)
    assert len(runs) == (1 if is_conditional else 2)


@pytest.mark.parametrize("first", [None, 1], ids=["onto nothing", "onto older scores"])
def test_of_two_runs_that_commit_at_once_the_second_fails(store, first):
    """The first stays whole, and what the loser left is not in the way."""
    if first:
        store.publish(first)
    one, other = store.open(), store.open()
    store.publish(2, one)
    with pytest.raises(AfterfitError, match="Another run has committed to"):
        store.publish(3, other)

    assert store.version == 2
    assert store.problems == []

    store.publish(4)
    assert store.problems == []


def test_a_damaged_missing_or_foreign_part_is_found(store):
    store.publish(1)
    first, second = store.manifest.scored_names
    damaged = join(store.parts, first)
    content = bytearray(read_whole(damaged))
    content[40] ^= 1

    write_whole(damaged, bytes(content))
    delete(join(store.parts, second))
    write_whole(join(store.parts, "part-ffffffff-00000.parquet"), b"x")
    write_whole(join(store.location, "notes.txt"), b"x")

    assert store.problems == [
        f"{first}: its content has changed",
        f"{second}: missing",
        "notes.txt: not in the manifest",
        "part-ffffffff-00000.parquet: not in the manifest",
    ]

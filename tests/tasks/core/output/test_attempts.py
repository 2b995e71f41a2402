import pytest

from tasks.core.output.attempts import ENDED, Attempts, name_attempt
from tasks.core.output.manifest import RUNS, STAGING
from tasks.core.storage.files import copy_all, list_sizes, read_whole, write_whole
from tasks.core.storage.location import join, last_name

KEY = "k" * 64
OTHER = "a" * 64


@pytest.fixture
def attempts(store):
    return Attempts(store.location)


def test_an_attempt_is_named_by_its_run_and_no_two_alike():
    names = {name_attempt(KEY) for _ in range(100)}
    runs = {name.partition("-")[0] for name in names}

    assert len(names) == 100
    assert runs == {"kkkkkkkk"}


def test_an_attempt_copies_just_what_it_does_not_have_yet(store, attempts, tmp_path):
    """However often the same run is killed."""
    copied = []

    def copy(source, target, names):
        if "_staging" in source:
            copied.append(len(names))
        copy_all(source, target, names)

    for number in range(4):
        name = name_attempt(KEY)
        staging = attempts.staging(name, tmp_path)
        attempts.take_over(KEY, staging, copy)
        assert len(list_sizes(staging.records)) == number
        store.finish(staging, f"part-{number}")

    assert max(copied) <= 3
    assert sum(copied) == 1 + 2 + 3


def test_an_ended_attempt_is_deleted_by_the_next_one_of_any_run(store, attempts, tmp_path):
    name = name_attempt(KEY)
    ended = attempts.staging(name, tmp_path)
    store.finish(ended)
    attempts.end(name)
    assert len(list_sizes(ended.parts)) == 2

    new = name_attempt(OTHER)
    other = attempts.staging(new, tmp_path)
    attempts.take_over(OTHER, other)
    for folder in (ended.parts, ended.records, other.parts, other.records):
        assert list_sizes(folder) == {}


def test_an_attempt_that_has_not_ended_is_left_alone(store, attempts, tmp_path):
    """It may be alive, and commit yet."""
    alive = attempts.staging(name_attempt(KEY), tmp_path)
    store.finish(alive)

    for run_key in (KEY, OTHER):
        new = attempts.staging(name_attempt(run_key), tmp_path)
        attempts.take_over(run_key, new)
        assert store.read_finished(alive) == b"x"


def test_the_attempt_that_has_committed_is_not_deleted_though_it_says_that_it_ended(
    store, attempts, tmp_path
):
    """It says so if it failed after its commit, and the store did not answer any more."""
    store.publish(1)
    attempt = attempts.committed()
    records = attempts.staging(attempt, tmp_path).records
    write_whole(join(records, ENDED), b"")

    new = attempts.staging(name_attempt(OTHER), tmp_path)
    attempts.take_over(OTHER, new)
    store.assert_holds(1)


FOREIGN = ["notes.txt", "mine/thesis.txt", "my-models/model.bin", "0123456-89abcdef0/x"]
WRONG = ["", ".", "..", "../x", "scores", "k" * 8, f"{'k' * 8}-12345678/.."]


def test_what_is_no_attempt_is_neither_taken_over_nor_deleted(store):
    mine = [join(store.location, inside, name) for inside in (RUNS, STAGING) for name in FOREIGN]
    for file in mine:
        write_whole(file, b"mine")

    store.fail(KEY)
    store.publish(1)
    store.publish(2)
    store.assert_holds(2)
    assert {read_whole(file) for file in mine} == {b"mine"}


def test_what_somebody_put_among_the_parts_of_an_attempt_outlives_it(store, attempts, tmp_path):
    ended = attempts.staging(name_attempt(KEY), tmp_path)
    store.finish(ended)
    names = ("notes.txt", "part-mine.parquet", "_quarantine/seen.csv")
    mine = [join(folder, name) for folder in (ended.parts, ended.records) for name in names]
    for file in mine:
        write_whole(file, b"mine")

    attempts.delete(last_name(ended.parts))
    assert {read_whole(file) for file in mine} == {b"mine"}
    for folder in (ended.parts, ended.records):
        assert set(list_sizes(folder)) == {"notes.txt", "part-mine.parquet", "_quarantine"}
        assert set(list_sizes(join(folder, "_quarantine"))) == {"seen.csv"}


def test_an_attempt_that_a_manifest_names_wrongly_is_not_deleted(store, attempts):
    store.publish(1)
    before = store.read_all()
    for name in WRONG:
        attempts.delete(name)
        attempts.delete_records(name)
    assert store.read_all() == before

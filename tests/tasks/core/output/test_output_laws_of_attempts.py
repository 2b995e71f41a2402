"""The laws of `Output` about attempts that fail, held against each of its makers."""

from contextlib import suppress
from dataclasses import replace

from tasks.core.output.manifest import QUARANTINE
from tasks.core.storage.files import delete, list_sizes, read_whole, write_whole
from tasks.core.storage.location import join

KEY = "k" * 64
PART = "part-kkkkkkkk-00000.parquet"


def test_the_same_run_takes_over_what_failed_attempts_have_finished(place):
    finished = {PART: b"first", "part-kkkkkkkk-00001.parquet": b"second"}
    for name, content in finished.items():
        place.fail(KEY, name, content)

    with place.run(KEY) as (_, staging):
        for name, content in finished.items():
            assert place.read_finished(staging, name) == content
        assert len(list_sizes(staging.records)) == 2


def test_a_resumed_run_commits_the_parts_that_it_took_over(place):
    scores = place.make_scores(1)
    with suppress(KeyboardInterrupt), place.run(scores.run_key) as (_, dead):
        scores.write_to(dead)
        raise KeyboardInterrupt

    with place.run(scores.run_key) as (output, staging):
        manifest = replace(scores.manifest, folder=staging.folder)
        output.commit(manifest, staging)
    place.assert_holds(1)
    place.assert_alone()


def test_an_attempt_without_a_finished_part_leaves_nothing(place):
    with suppress(KeyboardInterrupt), place.run(KEY) as (_, staging):
        write_whole(join(staging.parts, PART), b"unfinished")
        raise KeyboardInterrupt

    assert place.neighbours() == []
    assert place.open().failure() is None


def test_a_failure_is_known_and_its_reason_kept_until_the_next_commit(place):
    output = place.open()
    assert output.failure() is None

    place.fail()
    assert output.failure() == "an attempt was begun and not finished"
    output.remember("too hot")
    assert place.open().failure() == "too hot"

    place.publish(1)
    assert place.open().failure() is None


def test_a_failure_before_the_first_attempt_is_kept_too(place):
    place.open().remember("no source")
    assert place.open().failure() == "no source"
    assert place.manifest is None

    place.publish(1)
    place.assert_alone()


def test_a_worker_of_a_dead_attempt_that_wakes_up_late_changes_nothing(place):
    """Neither while the next attempt of its run is at work, nor after its commit."""
    scores = place.make_scores(1)
    first, second = scores.manifest.scored_names
    dead = place.fail(scores.run_key, first, b"finished")

    def wake_up():
        for name in (first, second):
            with suppress(FileNotFoundError):
                place.finish(dead, name, b"late")

    with place.run(scores.run_key) as (output, staging):
        wake_up()
        assert read_whole(join(staging.parts, first)) == b"finished"

        delete(join(staging.parts, QUARANTINE, first))
        manifest = scores.write_to(staging)
        output.commit(manifest, staging)

    wake_up()
    place.assert_holds(1)


def test_a_run_that_fails_leaves_the_committed_scores_as_they_were(place):
    place.publish(1)
    before = place.read_all()

    place.fail()
    assert place.read_all() == before

    scores = place.make_scores(2)
    with suppress(OSError), place.run(scores.run_key) as (_, staging):
        scores.write_to(staging)
        raise OSError

    assert place.read_all() == before
    place.assert_holds(1)


def test_a_commit_deletes_what_failed_attempts_of_any_run_have_left(place):
    place.fail(KEY)
    place.fail("a" * 64)
    place.publish(1)
    place.assert_holds(1)
    place.assert_alone()

    place.fail(KEY)
    place.publish(2)
    place.assert_holds(2)
    place.assert_alone()

"""The laws of `Output`, held against each of its makers."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output.manifest import MANIFEST_NAME
from tasks.core.output.open import open_output
from tasks.core.output.reading import read_scores
from tasks.core.storage.files import delete, write_whole
from tasks.core.storage.location import join


def test_there_is_no_output_before_the_first_commit(place):
    scores = place.make_scores(1)
    with place.run(scores.run_key) as (_, staging):
        scores.write_to(staging)
        assert place.manifest is None
        with pytest.raises(RequestError, match="is no committed output"):
            read_scores(place.location, attempts=1)


def test_the_older_scores_stay_until_the_next_commit(place):
    place.publish(1)
    scores = place.make_scores(2)
    with place.run(scores.run_key) as (output, staging):
        manifest = scores.write_to(staging)
        place.assert_holds(1)

        output.commit(manifest, staging)
        place.assert_holds(2)


def test_the_first_commit_appears_whole_and_leaves_nothing_else(place):
    place.publish(1)
    place.assert_holds(1)
    place.assert_alone()


def test_a_replacement_appears_whole_and_leaves_nothing_else(place):
    place.publish(1)
    place.publish(2)

    place.assert_holds(2)
    place.assert_alone()


def read_until(done, place, seen):
    while not done.is_set():
        seen.append(place.scores)


def test_a_reader_during_replacements_sees_whole_versions_in_their_order(place):
    """Each time it sees one version, whole, and after a newer one never an older one again."""
    at_least = 3 if place.location.startswith("s3") else 30
    seen, done = [], threading.Event()
    place.publish(0)

    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read_until, done, place, seen)
        try:
            for version in range(1, 500):
                place.publish(version)
                # On a busy machine, the reader gets no turn between hundreds of replacements.
                time.sleep(0.01)
                if reading.done() or (version >= at_least and len(seen) > 5):
                    break
        finally:
            done.set()
    reading.result()  # or the error of a read

    assert len(seen) > 1
    versions = [scores["model_version"][0] for scores in seen]
    assert seen == [place.scores_of(found) for found in versions]
    assert versions == sorted(versions)
    place.assert_holds(version)


def test_an_interruption_right_after_the_commit_does_not_undo_it(place):
    """And the same run, when it is asked for again, deletes what was left."""
    place.publish(1)
    scores = place.make_scores(2)
    with suppress(KeyboardInterrupt), place.run(scores.run_key) as (output, staging):
        manifest = scores.write_to(staging)
        output.commit(manifest, staging)
        raise KeyboardInterrupt

    place.assert_holds(2)

    again = place.open()
    with again.locked():
        again.clean(place.manifest)

    place.assert_holds(2)
    place.assert_alone()
    assert again.failure() is None


def test_cleaning_up_after_a_commit_that_left_nothing_changes_nothing(place):
    place.publish(1)
    before = place.read_all()

    output = place.open()
    with output.locked():
        output.clean(place.manifest)

    assert place.read_all() == before
    place.assert_alone()


def damage_manifest(place):
    write_whole(join(place.location, MANIFEST_NAME), b"{")


def delete_part(place):
    first = place.manifest.scored_names[0]
    delete(join(place.parts, first))


def add_part(place):
    write_whole(join(place.parts, "part-ffffffff-00000.parquet"), b"x")


@pytest.mark.parametrize("damage", [damage_manifest, delete_part, add_part])
def test_damaged_scores_are_known_as_such_and_replaced_whole(place, damage):
    place.publish(1)
    damage(place)
    assert len(place.problems) == 1

    place.publish(2)
    place.assert_holds(2)


def test_of_two_runs_at_the_same_time_each_has_committed_or_failed(place):
    """The scores are those of the last that committed, whole, and the loser is not in the way."""
    place.publish(1)
    one, other = place.open(), place.open()

    place.publish(2, one)
    committed = 2
    with suppress(AfterfitError):
        place.publish(3, other)
        committed = 3
    place.assert_holds(committed)

    place.publish(4)
    place.assert_holds(4)
    place.assert_alone()


def test_the_same_run_twice_at_the_same_time_is_one_output(place):
    one, other = place.open(), place.open()
    place.publish(1, one)
    place.publish(1, other)

    place.assert_holds(1)
    place.assert_alone()


def test_an_output_is_opened_again_by_its_own_location(place):
    place.publish(1)
    output = place.open()
    again = open_output(output.location)

    assert type(again) is type(output)
    assert again.location == output.location

"""The laws of `Output`, held against each of its makers."""

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output.manifest import (
    MANIFEST_NAME,
    QUARANTINE,
    RUNS,
    parts_folder,
    read_manifest,
)
from tasks.core.output.open import open_folder, open_output
from tasks.core.output.protocol import Output
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import is_whole, verify_output
from tasks.core.storage.files import delete, list_sizes, read_whole, write_whole
from tasks.core.storage.location import join, last_name

ROWS = 8
KEY = "k" * 64
PART = "part-kkkkkkkk-00000.parquet"


@dataclass(frozen=True)
class Place:
    """Where an output will be, and how each run opens it."""

    location: str
    open_at: Callable[[str], Output] = open_output
    replacements: int = 30  # at least, while a reader loops

    def open(self):
        return self.open_at(self.location)

    @property
    def above(self):
        return self.location.rpartition("/")[0]


def open_without_exchange(location):
    """Open a folder as on a system that cannot exchange two folders."""
    return replace(open_folder(location), exchange=lambda _one, _other: False)


def local_place(request):
    return Place(str(request.getfixturevalue("tmp_path") / "scores"))


MAKERS = {
    "folder": local_place,
    "folder-two-renames": lambda request: replace(
        local_place(request), open_at=open_without_exchange
    ),
    "memory": lambda _: Place(f"memory://{uuid.uuid4().hex}/scores"),
    "s3": lambda request: Place(
        f"{request.getfixturevalue('s3')}/{uuid.uuid4().hex}/scores", replacements=3
    ),
}


@pytest.fixture(params=MAKERS)
def place(request):
    """A place for an output that is empty yet."""
    return MAKERS[request.param](request)


def assert_holds(place, version):
    """The output is whole, and all of it has this version."""
    expected = {"row": list(range(ROWS)), "model_version": [version] * ROWS}
    assert verify_output(place.location) == []
    assert is_whole(place.location, read_manifest(place.location))
    assert read_scores(place.location).to_pydict() == expected


def assert_alone(place):
    """There is the committed output, and nothing else: neither beside nor below it."""
    location, manifest = place.location, read_manifest(place.location)
    parts = {part.name for part in manifest.parts}
    assert set(list_sizes(place.above)) == {last_name(location)}

    if manifest.folder:
        assert set(list_sizes(location)) == {MANIFEST_NAME, RUNS}
        assert set(list_sizes(join(location, RUNS))) == {last_name(manifest.folder)}
        assert set(list_sizes(parts_folder(location, manifest))) == parts
    else:
        assert set(list_sizes(location)) == {MANIFEST_NAME, *parts}


def content_of(place):
    """Read every byte of a committed output."""
    manifest = read_manifest(place.location)
    folder = parts_folder(place.location, manifest)
    files = [join(folder, part.name) for part in manifest.parts]
    return [read_whole(file) for file in [join(place.location, MANIFEST_NAME), *files]]


def test_there_is_no_output_before_the_first_commit(place, make_scores):
    output, scores = place.open(), make_scores(1)
    with output.locked(), output.stage(scores.run_key) as staging:
        scores.write_to(staging)
        assert read_manifest(place.location) is None
        with pytest.raises(RequestError, match="is no committed output"):
            read_scores(place.location, attempts=1)


def test_the_older_scores_stay_until_the_next_commit(place, publish, make_scores):
    publish(place.open(), 1)
    output, scores = place.open(), make_scores(2)
    with output.locked(), output.stage(scores.run_key) as staging:
        manifest = scores.write_to(staging)
        assert_holds(place, 1)
        output.commit(manifest, staging)
        assert_holds(place, 2)


def test_the_first_commit_appears_whole_and_leaves_nothing_else(place, publish):
    publish(place.open(), 1)
    assert_holds(place, 1)
    assert_alone(place)


def test_a_replacement_appears_whole_and_leaves_nothing_else(place, publish):
    publish(place.open(), 1)
    publish(place.open(), 2)
    assert_holds(place, 2)
    assert_alone(place)


def test_a_reader_during_replacements_sees_whole_versions_and_none_twice(place, publish):
    """Each time it sees one version, whole, and after a newer one never an older one again."""
    publish(place.open(), 0)
    seen, failures, done = [], [], threading.Event()

    def read():
        while not done.is_set():
            try:
                seen.append(read_scores(place.location).to_pydict())
            except Exception as error:  # noqa: BLE001 - whatever it is, the test reports it
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for version in range(1, 500):
            publish(place.open(), version)
            # On a busy machine, the reader would get no turn between hundreds of replacements.
            time.sleep(0.01)
            if failures or (version >= place.replacements and len(seen) > 5):
                break
    finally:
        done.set()
        reader.join()

    assert failures == []
    assert len(seen) > 1
    versions = [scores["model_version"][0] for scores in seen]
    for scores, found in zip(seen, versions, strict=True):
        assert scores == {"row": list(range(ROWS)), "model_version": [found] * ROWS}
    assert versions == sorted(versions)
    assert_holds(place, version)


def test_the_same_run_takes_over_what_a_failed_attempt_has_finished(place, fail):
    fail(place.open(), KEY, PART, b"first")
    second = "part-kkkkkkkk-00001.parquet"
    fail(place.open(), KEY, second, b"second")

    output = place.open()
    with output.locked(), output.stage(KEY) as staging:
        for name, content in {PART: b"first", second: b"second"}.items():
            assert read_whole(join(staging.parts, name)) == content
            assert read_whole(join(staging.parts, QUARANTINE, name)) == content
            assert read_whole(join(staging.records, f"{name}.json")) == content
        assert len(list_sizes(staging.records)) == 2


def test_a_resumed_run_commits_the_parts_that_it_took_over(place, make_scores):
    scores = make_scores(1)
    with suppress(KeyboardInterrupt), place.open().stage(scores.run_key) as dead:
        scores.write_to(dead)
        raise KeyboardInterrupt

    output = place.open()
    with output.locked(), output.stage(scores.run_key) as staging:
        output.commit(replace(scores.manifest, folder=staging.folder), staging)
    assert_holds(place, 1)
    assert_alone(place)


def test_an_attempt_without_a_finished_part_leaves_nothing(place):
    output = place.open()
    with suppress(KeyboardInterrupt), output.locked(), output.stage(KEY) as staging:
        write_whole(join(staging.parts, PART), b"unfinished")
        raise KeyboardInterrupt
    assert list_sizes(place.above) == {}
    assert output.failure() is None


def test_a_failure_is_known_and_its_reason_kept_until_the_next_commit(place, fail, publish):
    assert place.open().failure() is None
    fail(place.open(), KEY, PART)
    assert place.open().failure() == "an attempt was begun and not finished"
    place.open().remember("too hot")
    assert place.open().failure() == "too hot"
    publish(place.open(), 1)
    assert place.open().failure() is None


def test_a_failure_before_the_first_attempt_is_kept_too(place, publish):
    place.open().remember("no source")
    assert place.open().failure() == "no source"
    assert read_manifest(place.location) is None
    publish(place.open(), 1)
    assert_alone(place)


def test_a_worker_of_a_dead_attempt_that_wakes_up_late_changes_nothing(
    place, fail, finish, make_scores
):
    """Neither while the next attempt of its run is at work, nor after its commit."""
    scores = make_scores(1)
    names = [part.name for part in scores.manifest.parts]
    dead = fail(place.open(), scores.run_key, names[0], b"finished")

    def wake_up():
        for name in names:
            with suppress(FileNotFoundError):
                finish(dead, name, b"late")

    output = place.open()
    with output.locked(), output.stage(scores.run_key) as staging:
        wake_up()
        assert read_whole(join(staging.parts, names[0])) == b"finished"
        delete(join(staging.parts, QUARANTINE, names[0]))
        output.commit(scores.write_to(staging), staging)
    wake_up()
    assert_holds(place, 1)


def test_a_run_that_fails_leaves_the_committed_scores_as_they_were(
    place, publish, fail, make_scores
):
    publish(place.open(), 1)
    before = content_of(place)

    fail(place.open(), KEY, PART)
    assert content_of(place) == before

    scores, output = make_scores(2), place.open()
    with suppress(OSError), output.locked(), output.stage(scores.run_key) as staging:
        scores.write_to(staging)
        raise OSError
    assert content_of(place) == before
    assert_holds(place, 1)


def test_a_commit_deletes_what_failed_attempts_of_any_run_have_left(place, publish, fail):
    fail(place.open(), KEY, PART)
    fail(place.open(), "a" * 64, PART)
    publish(place.open(), 1)
    fail(place.open(), KEY, PART)
    publish(place.open(), 2)
    assert_holds(place, 2)
    assert_alone(place)


def test_an_interruption_right_after_the_commit_does_not_undo_it(place, publish, make_scores):
    """And the same run, when it is asked for again, deletes what was left."""
    publish(place.open(), 1)
    scores, output = make_scores(2), place.open()
    with (
        suppress(KeyboardInterrupt),
        output.locked(),
        output.stage(scores.run_key) as staging,
    ):
        output.commit(scores.write_to(staging), staging)
        raise KeyboardInterrupt
    assert_holds(place, 2)

    again = place.open()
    with again.locked():
        again.clean(read_manifest(place.location))
    assert_holds(place, 2)
    assert_alone(place)
    assert again.failure() is None


def test_cleaning_up_after_a_commit_that_left_nothing_changes_nothing(place, publish):
    publish(place.open(), 1)
    before = content_of(place)
    output = place.open()
    with output.locked():
        output.clean(read_manifest(place.location))
    assert content_of(place) == before
    assert_alone(place)


def damage_manifest(place):
    write_whole(join(place.location, MANIFEST_NAME), b"{")


def delete_part(place):
    manifest = read_manifest(place.location)
    delete(join(parts_folder(place.location, manifest), manifest.parts[0].name))


def add_part(place):
    folder = parts_folder(place.location, read_manifest(place.location))
    write_whole(join(folder, "part-ffffffff-00000.parquet"), b"x")


@pytest.mark.parametrize("damage", [damage_manifest, delete_part, add_part])
def test_damaged_scores_are_known_as_such_and_replaced_whole(place, publish, damage):
    publish(place.open(), 1)
    damage(place)
    assert len(verify_output(place.location)) == 1
    publish(place.open(), 2)
    assert_holds(place, 2)


def test_of_two_runs_at_the_same_time_each_has_committed_or_failed(place, publish):
    """The scores are those of the last that committed, whole, and the loser is not in the way."""
    publish(place.open(), 1)
    one, other = place.open(), place.open()
    publish(one, 2)
    committed = 2
    with suppress(AfterfitError):
        publish(other, 3)
        committed = 3
    assert_holds(place, committed)

    publish(place.open(), 4)
    assert_holds(place, 4)
    assert_alone(place)


def test_the_same_run_twice_at_the_same_time_is_one_output(place, publish):
    one, other = place.open(), place.open()
    publish(one, 1)
    publish(other, 1)
    assert_holds(place, 1)
    assert_alone(place)


def test_an_output_is_opened_again_by_its_own_location(place, publish):
    publish(place.open(), 1)
    location = place.open().location
    assert open_output(location).location == location
    assert read_manifest(location).version == 1

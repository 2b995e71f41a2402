from tasks.core.output.attempts import Attempts, name_attempt
from tasks.core.storage.files import copy_all, list_sizes

KEY = "k" * 64


def test_an_attempt_is_named_by_its_run_and_no_two_alike():
    names = {name_attempt(KEY) for _ in range(100)}
    assert len(names) == 100
    assert {name.partition("-")[0] for name in names} == {"kkkkkkkk"}


def test_an_attempt_copies_just_what_it_does_not_have_yet(url, finish, tmp_path):
    """However often the same run is killed."""
    copied = []

    def copy(source, target, names):
        copied.append(set(names))
        copy_all(source, target, names)

    attempts = Attempts(url)
    for number in range(4):
        staging = attempts.staging(name_attempt(KEY), tmp_path)
        attempts.take_over(KEY, staging, copy)
        assert len(list_sizes(staging.records)) == number
        finish(staging, f"part-{number}")

    records = [names for names in copied if any(name.endswith(".json") for name in names)]
    assert max(map(len, records)) <= 3
    assert sum(map(len, records)) == 1 + 2 + 3


def test_an_ended_attempt_is_deleted_by_the_next_one_of_any_run(url, finish, tmp_path):
    attempts, name = Attempts(url), name_attempt(KEY)
    ended = attempts.staging(name, tmp_path)
    finish(ended, "part-0")
    attempts.end(name)
    assert list_sizes(ended.parts).keys() > {"part-0"}

    other = attempts.staging(name_attempt("a" * 64), tmp_path)
    attempts.take_over("a" * 64, other)
    assert list_sizes(ended.parts) == list_sizes(ended.records) == {}
    assert list_sizes(other.parts) == list_sizes(other.records) == {}

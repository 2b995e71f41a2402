from pathlib import Path

import pytest

from tasks.core.output.exchange import beside, exchange, recover, swap
from tasks.core.output.manifest import read_manifest
from tasks.core.output.verify import verify_output


def no_exchange(_one, _other):
    return False


def content_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_folders_are_exchanged_in_one_step_or_not_at_all(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    (one / "a").touch()
    other.mkdir()
    if not exchange(one, other):
        pytest.skip("this file system cannot exchange")

    assert names_in(other) == ["a"]
    assert names_in(one) == []
    assert exchange(one, tmp_path / "none") is False


@pytest.mark.parametrize("crash_after", [0, 1, 2])
def test_after_a_crash_between_renames_the_output_is_the_old_or_the_new_one(
    tmp_path, write_scores, monkeypatch, crash_after
):
    """It is whole, and comes back before the next run starts."""
    output = write_scores(tmp_path / "scores", 1)
    staging = write_scores(tmp_path / "staging", 2)
    rename, left = Path.rename, iter(range(crash_after))

    def rename_until_killed(path, target):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(type(output), "rename", rename_until_killed)
        if crash_after == 2:
            swap(staging, output, no_exchange)
        else:
            with pytest.raises(KeyboardInterrupt):
                swap(staging, output, no_exchange)
    assert output.exists() == (crash_after != 1)

    recover(output)
    assert verify_output(output) == []
    expected = 2 if crash_after == 2 else 1
    assert read_manifest(output).version == expected
    assert not beside(output, "old").exists()


def test_recovering_where_nothing_happened_changes_nothing(tmp_path, write_scores):
    output = write_scores(tmp_path / "scores", 1)
    before = content_of(output)

    recover(output)
    assert content_of(output) == before


def test_an_older_output_that_was_not_deleted_in_time_is_deleted(tmp_path, write_scores):
    output = write_scores(tmp_path / "scores", 2)
    write_scores(beside(output, "old"), 1)

    recover(output)
    assert verify_output(output) == []
    assert names_in(tmp_path) == ["scores"]

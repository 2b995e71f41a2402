"""How one folder takes the place of another, whatever the system refuses or a kill leaves."""

import errno
import os
from pathlib import Path

import pytest

from tasks.core.errors import RequestError
from tasks.core.output.exchange import JOURNAL, OLD, check_swappable, exchange, recover, swap
from tasks.core.output.manifest import read_manifest
from tasks.core.output.verify import verify_output


def no_exchange(_one, _other):
    return False


def content_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def output(tmp_path, write_scores):
    """A committed output, of version 1."""
    return write_scores(tmp_path / "scores", 1)


@pytest.fixture
def staging(tmp_path):
    folder = tmp_path / "staging"
    folder.mkdir()
    return folder


@pytest.fixture
def parts(staging, write_scores):
    """The scores of version 2, which are to replace it."""
    return write_scores(staging / "attempt" / "parts", 2)


@pytest.fixture
def fail_renames(monkeypatch):
    """Let renames fail with an error from one on, and until another one."""

    def fail(error, first, last=99):
        rename, numbers = Path.rename, iter(range(99))

        def rename_or_fail(path, target):
            if first <= next(numbers) <= last:
                raise error
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", rename_or_fail)

    return fail


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


@pytest.mark.parametrize("how", [exchange, no_exchange])
def test_after_a_swap_the_old_output_is_in_the_staging(output, staging, parts, how):
    old = content_of(output)
    swap(parts, output, staging, how)

    assert read_manifest(output).version == 2
    assert content_of(staging / OLD) == old
    assert names_in(staging) == ["attempt", OLD]


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_after_a_kill_between_renames_the_output_is_the_old_or_the_new_one(
    output, staging, parts, monkeypatch, fail_renames, renames
):
    """It is whole, and comes back before the next run starts; that it came back is told."""
    fail_renames(KeyboardInterrupt(), first=renames)
    if renames == 2:
        swap(parts, output, staging, no_exchange)
    else:
        with pytest.raises(KeyboardInterrupt):
            swap(parts, output, staging, no_exchange)
    monkeypatch.undo()
    assert output.exists() == (renames != 1)

    told = recover(output, staging)
    assert verify_output(output) == []
    assert read_manifest(output).version == (2 if renames == 2 else 1)
    assert told == (
        (f"the scores in {output} are back: a run died while it replaced them",)
        if renames == 1
        else ()
    )
    assert names_in(staging) == ["attempt"]


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EBUSY, errno.EACCES])
@pytest.mark.parametrize("renames", [0, 1])
def test_a_rename_that_fails_leaves_the_output_as_it_was(
    output, staging, parts, fail_renames, renames, number
):
    """The second one undoes the first."""
    old, new = content_of(output), content_of(parts)
    fail_renames(OSError(number, os.strerror(number)), first=renames, last=renames)

    with pytest.raises(OSError, match=os.strerror(number)):
        swap(parts, output, staging, no_exchange)
    assert content_of(output) == old
    assert content_of(parts) == new
    assert names_in(staging) == ["attempt"]


def test_an_output_that_its_owner_deleted_after_a_swap_does_not_come_back(
    output, staging, parts, monkeypatch
):
    """Not even where the run was killed before it had noted that the swap was done."""
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *_: None)
        swap(parts, output, staging, no_exchange)
    assert (staging / JOURNAL).exists()
    output.rename(output.with_name("deleted"))

    assert recover(output, staging) == ()
    assert not output.exists()
    assert names_in(staging) == ["attempt"]


def test_an_older_output_without_a_swap_under_way_does_not_come_back(
    tmp_path, staging, write_scores
):
    write_scores(staging / OLD, 1)
    assert recover(tmp_path / "scores", staging) == ()
    assert names_in(tmp_path) == ["staging"]
    assert names_in(staging) == []


@pytest.mark.parametrize("journal", ["", "attempt", "/", "../staging/attempt", "attempt/par"])
def test_a_journal_that_names_no_parts_brings_nothing_back(
    tmp_path, staging, parts, write_scores, journal
):
    write_scores(staging / OLD, 1)
    (staging / JOURNAL).write_text(journal)
    assert recover(tmp_path / "scores", staging) == ()
    assert names_in(tmp_path) == ["staging"]
    assert read_manifest(parts).version == 2


def test_recovering_where_nothing_happened_changes_nothing(output, staging):
    before = content_of(output)
    assert recover(output, staging) == ()
    assert content_of(output) == before


def test_an_older_output_that_was_not_deleted_in_time_is_deleted(output, staging, write_scores):
    write_scores(staging / OLD, 7)
    assert recover(output, staging) == ()
    assert verify_output(output) == []
    assert names_in(staging) == []


def test_an_older_output_that_somebody_put_files_into_is_kept_beside_the_new_one(
    tmp_path, output, staging, write_scores
):
    old = write_scores(staging / OLD, 7)
    (old / "notes.txt").write_text("mine")
    whole = content_of(old)

    (note,) = recover(output, staging)
    (kept,) = tmp_path.glob("scores.kept-*")
    assert note == f"'notes.txt' was in {output} as it was replaced: it is kept in {kept}"
    assert content_of(kept) == whole
    assert names_in(staging) == []


@pytest.mark.parametrize(
    ("number", "empty", "refused"),
    [
        (errno.ENOTEMPTY, False, False),
        (errno.EEXIST, False, False),
        (errno.EXDEV, False, True),  # a lower layer of an overlay
        (errno.EBUSY, False, True),  # a bind mount
        (errno.EACCES, False, True),  # somebody else's folder
        (errno.EXDEV, True, False),
        (errno.EBUSY, True, True),
    ],
)
def test_an_output_that_could_not_be_moved_is_refused_at_once(
    tmp_path, output, staging, parts, fail_renames, number, empty, refused
):
    if empty:
        output = tmp_path / "empty"
        output.mkdir()
    fail_renames(OSError(number, os.strerror(number)), first=0)

    if not refused:
        assert check_swappable(output, parts.parent) is None
        return
    words = rf"cannot be swapped in one step \({os.strerror(number)}\): name a folder that does not"
    with pytest.raises(RequestError, match=words):
        check_swappable(output, parts.parent)


def test_to_find_out_whether_an_output_can_be_moved_moves_nothing(output, staging, parts):
    old, new = content_of(output), content_of(parts)
    check_swappable(output, parts.parent)
    check_swappable(output.with_name("none"), parts.parent)
    assert content_of(output) == old
    assert content_of(parts) == new
    assert output.with_name("none").exists() is False

import fcntl
import os

import pytest

from tasks.core.errors import RequestError
from tasks.core.storage.locks import release_lock, wait_for_lock


def test_a_lock_is_taken_once_until_it_is_released(tmp_path):
    path = tmp_path / "above" / "lock"
    first = wait_for_lock(path, seconds=0)
    assert first is not None
    assert wait_for_lock(path, seconds=0) is None

    release_lock(path, first)
    assert not path.exists()
    again = wait_for_lock(path, seconds=0)
    assert again is not None
    release_lock(path, again)


def test_the_lock_of_a_file_that_was_removed_meanwhile_is_no_lock(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    flock = fcntl.flock

    def flock_and_lose(descriptor, operation):
        flock(descriptor, operation)
        path.unlink()

    monkeypatch.setattr(fcntl, "flock", flock_and_lose)
    assert wait_for_lock(path, seconds=0) is None


def test_a_file_that_holds_something_is_no_lock(tmp_path):
    path = tmp_path / "lock"
    path.write_text("mine")
    os.utime(path, (1, 1))
    with pytest.raises(RequestError, match=r"'.*/lock' was not made by afterfit"):
        wait_for_lock(path, seconds=0)
    assert path.read_text() == "mine"
    assert path.stat().st_mtime == 1


@pytest.mark.parametrize("target", ["mine", "none"])
def test_a_link_is_no_lock_and_what_it_leads_to_is_not_touched(tmp_path, target):
    path = tmp_path / "lock"
    path.symlink_to(target)
    (tmp_path / "mine").touch()
    with pytest.raises(RequestError, match=r"'.*/lock' was not made by afterfit"):
        wait_for_lock(path, seconds=0)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["lock", "mine"]
    assert path.is_symlink()


def test_an_empty_file_that_a_dead_run_left_is_a_lock(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    release_lock(path, wait_for_lock(path, seconds=0))
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_another_user_is_named(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    path.touch()

    def deny(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", deny)
    words = "'.*/lock', the lock of another user's run, cannot be opened: Permission denied"
    with pytest.raises(RequestError, match=words):
        wait_for_lock(path, seconds=0)


def test_a_lock_can_be_taken_by_whoever_may_write_to_its_folder(tmp_path):
    """A shared folder of a group has a umask that lets the group write."""
    path = tmp_path / "lock"
    before = os.umask(0o002)
    try:
        lock = wait_for_lock(path, seconds=0)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o664
    release_lock(path, lock)

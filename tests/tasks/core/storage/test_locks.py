import fcntl

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

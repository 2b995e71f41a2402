import pytest

from tasks.core.storage.conditional import is_conditional, write_if_unchanged
from tasks.core.storage.location import open_filesystem


@pytest.fixture
def store(url):
    """The file system of an object store, and the path of an object that is not there yet."""
    return open_filesystem(f"{url}/object")


def test_just_s3_compares_objects_itself(store):
    filesystem, _ = store
    assert is_conditional(filesystem) == (type(filesystem).__name__ == "S3FileSystem")


def test_an_object_is_created_only_where_there_is_none(store):
    filesystem, path = store
    write_if_unchanged(filesystem, path, b"first", None)
    with pytest.raises(FileExistsError):
        write_if_unchanged(filesystem, path, b"second", None)

    assert filesystem.cat_file(path) == b"first"


def test_an_object_is_replaced_only_if_it_is_the_expected_one(store):
    filesystem, path = store
    filesystem.pipe_file(path, b"first")
    write_if_unchanged(filesystem, path, b"second", b"first")
    with pytest.raises(FileExistsError):
        write_if_unchanged(filesystem, path, b"third", b"first")

    assert filesystem.cat_file(path) == b"second"


def test_an_object_that_was_deleted_meanwhile_is_not_the_expected_one(store):
    filesystem, path = store
    with pytest.raises(FileExistsError):
        write_if_unchanged(filesystem, path, b"second", b"first")

    assert not filesystem.exists(path)


def test_an_error_that_is_no_conflict_stays_what_it_is(store, monkeypatch):
    filesystem, path = store

    def fail(*_arguments, **_options):
        raise OSError("503")

    monkeypatch.setattr(filesystem, "pipe_file", fail)
    with pytest.raises(OSError, match="503"):
        write_if_unchanged(filesystem, path, b"first", None)

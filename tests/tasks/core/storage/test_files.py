import uuid

import pytest

from tasks.core.storage.files import copy_all, delete, list_sizes, read_whole, write_whole
from tasks.core.storage.location import join


@pytest.fixture(params=["folder", "memory", "s3"])
def location(request, tmp_path):
    """An empty place for files, on each kind of storage."""
    if request.param == "folder":
        return str(tmp_path)
    root = request.getfixturevalue("s3") if request.param == "s3" else "memory:/"
    return f"{root}/{uuid.uuid4().hex}"


def test_files_are_written_listed_read_and_deleted(location):
    assert list_sizes(location) == {}
    write_whole(join(location, "a"), b"12")
    write_whole(join(location, "a"), b"123")
    assert list_sizes(location) == {"a": 3}
    assert read_whole(join(location, "a")) == b"123"

    delete(join(location, "none"))
    delete(location)
    assert list_sizes(location) == {}
    with pytest.raises(FileNotFoundError):
        read_whole(join(location, "a"))


@pytest.fixture(params=["memory", "s3"])
def url(request):
    """An empty place for files on an object store."""
    root = request.getfixturevalue("s3") if request.param == "s3" else "memory:/"
    return f"{root}/{uuid.uuid4().hex}"


def test_a_folder_of_a_store_is_listed_without_a_size_and_deleted_with_all_in_it(url):
    write_whole(join(url, "a"), b"123")
    write_whole(join(url, "sub", "b"), b"1")
    assert list_sizes(url) == {"a": 3, "sub": 0}
    delete(url)
    assert list_sizes(url) == {}


def test_files_are_copied_within_a_store_but_for_those_that_are_gone(url):
    one, other = join(url, "one"), join(url, "other")
    for name in ("a", "b"):
        write_whole(join(one, name), name.encode())
    copy_all(one, other, [])
    assert list_sizes(other) == {}
    copy_all(one, other, ["a", "gone", "b"])
    assert {name: read_whole(join(other, name)) for name in list_sizes(other)} == {
        "a": b"a",
        "b": b"b",
    }


def test_a_file_that_cannot_be_put_in_its_place_leaves_nothing_unfinished(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_whole(str(tmp_path / "taken"), b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_an_unfinished_file_lies_where_it_was_told_to(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(str(tmp_path / "a"), b"x", str(tmp_path / "none"))
    write_whole(str(tmp_path / "a"), b"x", str(tmp_path))
    assert list_sizes(str(tmp_path)) == {"a": 1}

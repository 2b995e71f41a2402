import pytest

from tasks.core.storage.files import copy_all, delete, list_sizes, read_whole, write_whole
from tasks.core.storage.location import join


def test_files_are_written_listed_read_and_deleted(location):
    file = join(location, "a")
    assert list_sizes(location) == {}

    write_whole(file, b"12")
    write_whole(file, b"123")
    assert list_sizes(location) == {"a": 3}
    assert read_whole(file) == b"123"

    delete(join(location, "none"))
    delete(location)
    assert list_sizes(location) == {}
    with pytest.raises(FileNotFoundError):
        read_whole(file)


def test_a_folder_of_a_store_is_listed_without_a_size_and_deleted_with_all_in_it(url):
    write_whole(join(url, "a"), b"123")
    write_whole(join(url, "sub", "b"), b"1")
    assert list_sizes(url) == {"a": 3, "sub": 0}

    delete(url)
    assert list_sizes(url) == {}


def test_files_are_copied_within_a_store_but_for_those_that_are_gone(url):
    one, other = join(url, "one"), join(url, "other")
    for name in ("a", "bb"):
        write_whole(join(one, name), name.encode())

    copy_all(one, other, [])
    assert list_sizes(other) == {}

    copy_all(one, other, ["a", "gone", "bb"])
    assert list_sizes(other) == {"a": 1, "bb": 2}
    assert read_whole(join(other, "bb")) == b"bb"


def test_a_file_that_cannot_be_put_in_its_place_leaves_nothing_unfinished(tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()

    with pytest.raises(OSError, match="taken"):
        write_whole(str(taken), b"x")
    assert list(list_sizes(str(tmp_path))) == ["taken"]


def test_an_unfinished_file_lies_where_it_was_told_to(tmp_path):
    file, elsewhere = tmp_path / "a", tmp_path / "none"
    with pytest.raises(FileNotFoundError):
        write_whole(str(file), b"x", str(elsewhere))

    elsewhere.mkdir()
    write_whole(str(file), b"x", str(elsewhere))
    assert file.read_bytes() == b"x"
    assert list(elsewhere.iterdir()) == []

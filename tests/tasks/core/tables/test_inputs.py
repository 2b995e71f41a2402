import hashlib
import threading
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path

import pytest

from tasks.core.storage.files import open_unbuffered, write_whole
from tasks.core.tables.inputs import InputHasher, describe_input, hash_inputs
from tasks.core.tables.listing import list_source


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def expected(files):
    return tuple(describe_input(file, lambda file: sha256(file.path)) for file in files)


class EndlessFile:
    """A file that never ends."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def readinto(self, buffer):
        return len(buffer)


@pytest.fixture
def hasher():
    """Make a hasher that is closed at the end."""
    made = []

    def make(*given):
        made.append(InputHasher(*given))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_content_of_a_file_here_is_told_by_its_sha256(write, mixed, hasher):
    files = (write("a.parquet", mixed), write("b.csv", "a,b\n1,2\n"))
    for file, found in zip(files, hasher().begin(files).result(), strict=True):
        assert found.content == f"sha256:{sha256(file.path)}"
        assert (found.path, found.size, found.digest) == (file.path, file.size, file.digest)


def test_a_file_is_hashed_whole_however_little_is_read_at_once(write, mixed, hasher):
    file = write("a.parquet", mixed)
    assert hasher(open_unbuffered, 7).begin([file]).result() == expected([file])


def test_the_content_of_a_file_on_a_store_is_told_as_the_store_does_and_not_read(write, mixed):
    write_whole("memory://inputs/a.parquet", Path(write("a.parquet", mixed).path).read_bytes())
    (file,) = list_source("memory://inputs/a.parquet").files
    found = describe_input(file, lambda _: pytest.fail("it was read"))
    assert found.content == f"store:{file.stamp}"


def test_files_are_hashed_beside_the_work_and_given_in_order(write, mixed):
    files = [write(f"{number}.parquet", mixed.slice(0, number + 1)) for number in range(3)]
    with hash_inputs(files) as described:
        assert described() == expected(files)


def test_hashing_stops_when_it_is_closed(write, mixed, hasher):
    """A large source must not be read to its end for a run that has failed."""
    began = threading.Event()

    def open_endless(_):
        began.set()
        return EndlessFile()

    endless = hasher(open_endless, 1)
    future = endless.begin([write("a.parquet", mixed)])
    assert began.wait(60)
    endless.close()
    with pytest.raises(CancelledError):
        future.result()


def test_a_hasher_is_closed_when_the_work_fails(write, mixed):
    with suppress(KeyboardInterrupt), hash_inputs([write("a.parquet", mixed)]):
        raise KeyboardInterrupt
    assert "digest" not in str(threading.enumerate())

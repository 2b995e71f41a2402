import hashlib
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tasks.core import inputs
from tasks.core.files import write_whole
from tasks.core.inputs import describe_input, digesting
from tasks.core.sources import list_source


def test_the_content_of_a_file_here_is_told_by_its_sha256(write, mixed):
    for file in (write("a.parquet", mixed), write("b.csv", "a,b\n1,2\n")):
        expected = hashlib.sha256(Path(file.path).read_bytes()).hexdigest()
        described = describe_input(file)
        assert described.content == f"sha256:{expected}"
        assert (described.path, described.size, described.digest) == (file.path, file.size, file.digest)


def test_the_content_of_a_file_on_a_store_is_told_as_the_store_tells_it_and_not_read(write, mixed, monkeypatch):
    write_whole("memory://inputs/a.parquet", Path(write("a.parquet", mixed).path).read_bytes())
    (file,) = list_source("memory://inputs/a.parquet")
    monkeypatch.setattr(inputs, "open_binary", lambda _: pytest.fail("it was read"))
    assert describe_input(file).content == f"store:{file.stamp}"


def test_files_are_digested_beside_the_work_and_given_in_order(write, mixed):
    files = [write(f"{number}.parquet", mixed.slice(0, number + 1)) for number in range(3)]
    with digesting(files) as described:
        assert [item.path for item in described()] == [file.path for file in files]


def test_digesting_stops_when_the_work_fails(write, mixed, monkeypatch):
    """A large source must not be read to its end for a run that has failed."""
    file, began = write("a.parquet", mixed), threading.Event()
    monkeypatch.setattr(inputs, "CHUNK", 1)

    def slow(_):
        began.set()
        return EndlessFile()

    monkeypatch.setattr(inputs, "open_binary", slow)
    with suppress(KeyboardInterrupt), digesting([file]):
        assert began.wait(60)
        raise KeyboardInterrupt


class EndlessFile:
    """A file that never ends."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read(self, size):
        return b"x" * size

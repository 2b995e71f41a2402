import hashlib
import threading
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path

import pytest

from tasks.core.storage.files import open_unbuffered, write_whole
from tasks.core.tables import inputs
from tasks.core.tables.inputs import MOST_AHEAD, describe_input, digesting, prefetch_digests
from tasks.core.tables.sources import list_source


def test_the_content_of_a_file_here_is_told_by_its_sha256(write, mixed):
    for file in (write("a.parquet", mixed), write("b.csv", "a,b\n1,2\n")):
        expected = hashlib.sha256(Path(file.path).read_bytes()).hexdigest()
        described = describe_input(file)
        assert described.content == f"sha256:{expected}"
        assert (described.path, described.size, described.digest) == (
            file.path,
            file.size,
            file.digest,
        )


def test_the_content_of_a_file_on_a_store_is_told_as_the_store_tells_it_and_not_read(
    write, mixed, monkeypatch
):
    write_whole("memory://inputs/a.parquet", Path(write("a.parquet", mixed).path).read_bytes())
    (file,) = list_source("memory://inputs/a.parquet")
    monkeypatch.setattr(inputs, "open_unbuffered", lambda _: pytest.fail("it was read"))
    assert describe_input(file).content == f"store:{file.stamp}"


def test_files_are_digested_beside_the_work_and_given_in_order(write, mixed):
    files = [write(f"{number}.parquet", mixed.slice(0, number + 1)) for number in range(3)]
    with digesting(files) as described:
        assert [item.path for item in described()] == [file.path for file in files]


def test_digesting_stops_when_the_work_fails(write, mixed, monkeypatch):
    """A large source must not be read to its end for a run that has failed."""
    file, began = write("a.parquet", mixed), threading.Event()
    monkeypatch.setattr(inputs, "READ_BYTES", 1)

    def slow(_):
        began.set()
        return EndlessFile()

    monkeypatch.setattr(inputs, "open_unbuffered", slow)
    with suppress(KeyboardInterrupt), digesting([file]):
        assert began.wait(60)
        raise KeyboardInterrupt


def wait_until_ahead():
    """Wait until all of the source that is digested ahead is."""
    (ahead,) = inputs._ahead
    ahead.begin(()).result()


@pytest.fixture
def described(monkeypatch):
    """The files that are described, in order, as it happens."""
    seen, describe = [], inputs.describe_input

    def remember(file, stop):
        seen.append(file.path)
        return describe(file, stop)

    monkeypatch.setattr(inputs, "describe_input", remember)
    return seen


def test_what_was_digested_ahead_is_not_digested_again(write, mixed, tmp_path, described):
    files = [write(f"in/{number}.parquet", mixed.slice(0, number + 1)) for number in range(3)]
    with prefetch_digests(str(tmp_path / "in")):
        wait_until_ahead()
        assert described == [file.path for file in files]
        with digesting(files) as wait:
            assert wait() == tuple(describe_input(file) for file in files)
    assert described == [file.path for file in files]


def test_a_file_that_changed_since_it_was_digested_ahead_is_digested_again(
    write, mixed, tmp_path, described
):
    write("in/a.parquet", mixed)
    with prefetch_digests(str(tmp_path / "in")):
        wait_until_ahead()
        changed = write("in/a.parquet", mixed.slice(1))
        with digesting([changed]) as wait:
            assert wait() == (describe_input(changed),)
    assert len(described) == 2


@pytest.mark.parametrize(
    "name", ["csv", "both", "many", "missing", "url", "damaged", "glob/*.parquet"]
)
def test_a_source_that_cannot_or_need_not_be_digested_ahead_is_left_alone(
    write, mixed, tmp_path, described, name
):
    """And nobody hears of it: the run itself has the words for what is wrong."""
    for folder in ("csv", "both"):
        write(f"{folder}/a.csv", "a\n1\n")
    for folder in ("both", "glob", "one"):
        write(f"{folder}/a.parquet", mixed)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "a.parquet").write_bytes(b"PAR0")
    write_whole("memory://ahead/a.parquet", (tmp_path / "one" / "a.parquet").read_bytes())
    for number in range(MOST_AHEAD + 1):
        write(f"many/{number}.parquet", mixed.slice(0, 1))
    with prefetch_digests("memory://ahead" if name == "url" else str(tmp_path / name)):
        wait_until_ahead()
    assert not described


def test_digesting_ahead_ends_with_its_body_and_leaves_nothing_behind(
    write, mixed, tmp_path, monkeypatch
):
    file, began = write("in/a.parquet", mixed), threading.Event()
    monkeypatch.setattr(inputs, "open_unbuffered", lambda _: began.set() or EndlessFile())
    with prefetch_digests(file.path):
        assert began.wait(60)
    assert not inputs._ahead
    assert "digest" not in str(threading.enumerate())


def test_what_could_not_be_read_ahead_is_read_again(write, mixed, monkeypatch):
    """A disk that fails once fails no run that reads the file later."""
    file, tried = write("in/a.parquet", mixed), []

    def fail_once(path):
        tried.append(path)
        return open_unbuffered(path) if len(tried) > 1 else 1 / 0

    monkeypatch.setattr(inputs, "open_unbuffered", fail_once)
    with prefetch_digests(file.path):
        wait_until_ahead()
        with digesting([file]) as wait:
            assert wait() == (describe_input(file),)
    assert len(tried) == 3


def test_a_file_that_is_digested_in_part_has_no_digest(write, mixed):
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        describe_input(write("a.parquet", mixed), stop)


class EndlessFile:
    """A file that never ends."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def readinto(self, buffer):
        return len(buffer)

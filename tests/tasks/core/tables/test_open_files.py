import os
import uuid

import pyarrow as pa
import pytest

from tasks.core.errors import SourceChangedError
from tasks.core.storage.files import delete, write_whole
from tasks.core.storage.location import open_filesystem
from tasks.core.tables.csv_files import header, iterate_csv, read_csv
from tasks.core.tables.inputs import InputHasher
from tasks.core.tables.open_files import check_still, open_file, reading
from tasks.core.tables.parquet import read_parquet
from tasks.core.tables.sources import content_digest, identify

CHANGED = r"changed while it was being read: run the command again\.$"
TABLE = pa.table({"a": [1, 2, 3]})


def hash_with_hasher(file):
    hasher = InputHasher()
    try:
        hasher.begin([file]).result()
    finally:
        hasher.close()


READERS = {
    "the rows of a Parquet file": (
        "a.parquet",
        lambda file: read_parquet(file.path, file.revision),
    ),
    "its digest": ("a.parquet", content_digest),
    "its digest beside the scoring": ("a.parquet", hash_with_hasher),
    "the rows of a CSV file": ("a.csv", read_csv),
    "its header": ("a.csv", header),
    "its batches": ("a.csv", lambda file: list(iterate_csv(file, {}))),
    "a packed CSV file": ("a.csv.gz", read_csv),
}


@pytest.mark.parametrize(("name", "read"), READERS.values(), ids=READERS)
def test_whatever_reads_a_file_refuses_one_that_was_touched_since_it_was_identified(
    write, settled, tmp_path, name, read
):
    file = write(name, content_for(name))
    read(file)
    settled()
    os.utime(file.path, ns=(0, int(file.stamp)))  # which changes nothing but the inode's own time
    with pytest.raises(SourceChangedError, match=rf"{name} {CHANGED}"):
        read(file)


def content_for(name):
    contents = {"a.parquet": TABLE, "a.csv": "a\n1\n2\n", "a.csv.gz": PACKED}
    return contents[name]


def pack(content):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "gzip") as packed:
        packed.write(content)
    return sink.getvalue().to_pybytes()


PACKED = pack(b"a\n1\n2\n")


def test_a_file_that_is_open_is_read_to_its_end_whatever_takes_its_name(tmp_path):
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"what was planned")
    other.write_bytes(b"something else..")
    opened = open_file(str(path))
    try:
        other.rename(path)
        assert opened.stream.read() == b"what was planned"
        assert opened.read_range(5, 8) == b"was"
    finally:
        opened.close()


def test_a_file_that_is_not_there_is_told_in_the_words_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        open_file(str(tmp_path / "none"))


def test_the_state_of_a_file_is_its_size_its_time_and_its_revision(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    os.utime(path, ns=(1, 77))
    about = path.stat()
    opened = open_file(str(path))
    state = opened.state()
    opened.close()
    assert (state.size, state.stamp) == (5, "77")
    assert state.revision == f"{about.st_ino} 5 77 {about.st_ctime_ns}"


@pytest.fixture
def stored():
    """The URL of an object in memory."""
    url = f"memory://{uuid.uuid4().hex}/a.csv"
    write_whole(url, b"a\n1\n2\n")
    return url


def revision_of(url):
    return identify(*open_filesystem(url))[0].revision


@pytest.mark.parametrize(
    "touch",
    [
        lambda url: write_whole(url, b"a\n1\n2\n"),
        lambda url: write_whole(url, b"a\n1\n"),
        delete,
    ],
    ids=["written again", "other content", "deleted"],
)
def test_an_object_that_is_touched_while_it_is_read_is_refused(stored, touch):
    revision = revision_of(stored)
    with reading(stored, revision) as opened:
        opened.stream.read()

    opened = open_file(stored)
    opened.stream.read()
    touch(stored)
    with pytest.raises(SourceChangedError, match=CHANGED):
        check_still(opened, revision)


def test_on_s3_no_other_revision_than_that_which_was_opened_is_read(s3):
    """An object that is put back has its old ETag again."""
    url = f"{s3}/{uuid.uuid4().hex}/a.csv"
    one, other = b"a\n1\n", b"a\n2\n"
    write_whole(url, one)
    revision = revision_of(url)

    opened = open_file(url)
    write_whole(url, other)
    with pytest.raises(OSError, match="no longer"):
        opened.stream.read()
    opened.close()

    open_filesystem(url)[0].invalidate_cache()
    opened = open_file(url)
    assert opened.stream.read() == other
    write_whole(url, one)
    with pytest.raises(SourceChangedError, match=CHANGED):
        check_still(opened, revision)
    opened.close()

    open_filesystem(url)[0].invalidate_cache()
    with reading(url, revision) as opened:
        assert opened.stream.read() == one

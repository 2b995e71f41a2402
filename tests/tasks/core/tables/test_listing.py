from collections import Counter
from typing import ClassVar

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from tasks.core.errors import RequestError
from tasks.core.scoring.plan import plan_source
from tasks.core.scoring.run import name_run
from tasks.core.tables.listing import list_source
from tasks.core.tables.parquet import FIRST_READ, open_parquet
from tasks.core.tables.sources import check_unchanged

SCHEMA = pa.schema([("id", pa.int64()), ("n", pa.float64()), ("y", pa.float64())])
ROWS = pa.table({"id": [1, 2, 3], "n": [0.5, None, 1.5], "y": [1.0, 2.0, 3.0]}, schema=SCHEMA)


class CountingFileSystem(MemoryFileSystem):
    """Counts what it is asked for, by the name of the file or folder."""

    protocol = "counting"
    asked: ClassVar = Counter()

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("counting://"))

    def ls(self, path, *args, **kwargs):
        self._count("ls", path)
        return super().ls(path, *args, **kwargs)

    def cat_file(self, path, start=None, end=None):
        self._count("read", path)
        return self.store[self._strip_protocol(path)].getvalue()[start:end]

    def _count(self, what, path):
        self.asked[what, path.rsplit("/", 1)[-1]] += 1


@pytest.fixture
def counting():
    """The URL of a folder of three files on a file system that counts."""
    fsspec.register_implementation("counting", CountingFileSystem, clobber=True)
    filesystem = fsspec.filesystem("counting")
    for name in ("a", "b", "c"):
        with filesystem.open(f"/in/{name}.parquet", "wb") as file:
            pq.write_table(ROWS, file)
    CountingFileSystem.asked.clear()
    yield "counting:///in"
    filesystem.rm("/in", recursive=True)


def test_a_run_lists_a_source_once_and_reads_each_footer_once_and_again_at_the_commit(
    counting, make_card, model, tmp_path
):
    asked = CountingFileSystem.asked
    once = {("read", f"{name}.parquet"): 1 for name in "abc"}

    source = list_source(counting)
    assert asked == {("ls", "in"): asked["ls", "in"], **once}
    listed = asked["ls", "in"]

    metadata = make_card(SCHEMA, data={"source": counting, "target": "y", "id": "id"})
    run = name_run(model, metadata, source, str(tmp_path / "out"))
    _, plan = plan_source(run, source, metadata, tmp_path)
    assert plan.rows == 9
    assert asked == {("ls", "in"): listed, **once}

    check_unchanged(source.files)
    assert asked == {("ls", "in"): listed, **dict.fromkeys(once, 2)}


def test_a_footer_says_the_same_as_the_file_that_it_ends(write, mixed):
    file = write("a.parquet", mixed, row_group_size=150)
    (footer,) = list_source(file.path).footers
    with open_parquet(file.path) as parquet:
        assert footer.schema.equals(parquet.schema_arrow, check_metadata=True)
    assert footer.group_rows == (150, 150, 100)


def test_a_dictionary_column_keeps_its_type(write):
    codes = pa.array(["x", "y"]).dictionary_encode()
    (footer,) = list_source(write("a.parquet", pa.table({"c": codes})).path).footers
    assert pa.types.is_dictionary(footer.schema.field("c").type)


def test_a_footer_longer_than_the_first_read_is_read_whole(write):
    wide = pa.table({f"column {number:05}": [1.0] for number in range(2000)})
    file = write("wide.parquet", wide)
    assert file.size > FIRST_READ
    assert list_source(file.path).footers[0].schema.equals(wide.schema)


def test_a_csv_file_has_names_only(write):
    (footer,) = list_source(write("a.csv", "a,b\n1,2\n").path).footers
    assert (footer.schema.names, footer.group_rows) == (["a", "b"], ())


def test_a_damaged_footer_is_refused_with_the_name_of_its_file(write, mixed):
    file = write("a.parquet", mixed)
    with open(file.path, "r+b") as damaged:  # noqa: PTH123 - a path of the file system
        damaged.seek(file.size - 40)
        damaged.write(b"\xff" * 30)
    with pytest.raises(RequestError, match=r"a\.parquet cannot be read as Parquet"):
        list_source(file.path)

"""A table of which only a log says what counts is never read as a bag of files."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import RequestError
from tasks.core.storage.files import write_whole
from tasks.core.storage.location import open_filesystem
from tasks.core.tables.source_paths import list_paths
from tasks.core.tables.table_formats import check_finished, check_folders, folders_of

TABLE = pa.table({"a": [1, 2, 3]})
# What lies in a table's folder beside its data -> what it is called.
MARKS = {
    "_delta_log/00000000000000000000.json": "a Delta Lake table",
    "metadata/00001-5f2e.metadata.json": "an Iceberg table",
    "metadata/00001-5f2e.metadata.json.gz": "an Iceberg table",
    "metadata/version-hint.text": "an Iceberg table",
    ".hoodie/hoodie.properties": "a Hudi table",
    "snapshot/LATEST": "a Paimon table",
    "manifest/manifest-list-4ccc-0": "a Paimon table",
    "_spark_metadata/0": "the output of a Spark stream",
}


def written(table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


@pytest.fixture(params=["folder", "memory"])
def place(request, tmp_path):
    """Write files below a place of this machine or of a store; return the location of a source."""
    root = {"folder": str(tmp_path), "memory": "memory://formats"}[request.param]

    def make(*names, content=None):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = written(TABLE) if name.endswith("parquet") else content or b"{}"
            write_whole(f"{root}/{name}", data)

    make.at = lambda source: f"{root}/{source}".rstrip("/")
    yield make
    filesystem, _ = open_filesystem("memory://formats")
    if filesystem.exists("/formats"):
        filesystem.rm("/formats", recursive=True)


@pytest.mark.parametrize(
    "source",
    [
        "lake/orders",
        "lake/orders/*.parquet",
        "lake/orders/**/*.parquet",
        "lake/orders/part-0.parquet",
        "lake/orders/day=1/part-1.parquet",
        "lake/orders/day=1",
        "lake/*/part-*.parquet",
        "lake/**/*.parquet",
    ],
)
@pytest.mark.parametrize("mark", MARKS)
def test_a_table_format_is_refused_however_its_files_are_named(place, mark, source):
    data = ["lake/orders/part-0.parquet", "lake/orders/day=1/part-1.parquet"]
    place(*data, "lake/plain/part-0.parquet", f"lake/orders/{mark}")
    with pytest.raises(RequestError, match=rf"lake/orders' is {MARKS[mark]}: .* snapshot") as said:
        list_paths(place.at(source))
    assert len(str(said.value)) < 500
    assert list_paths(place.at("lake/plain"))


@pytest.mark.parametrize("source", ["orders", "orders/data/*.parquet", "orders/data/a/0.parquet"])
def test_an_iceberg_table_is_refused_by_its_data_files(place, source):
    place("orders/data/a/0.parquet", "orders/data/0.parquet", "orders/metadata/v1.metadata.json")
    with pytest.raises(RequestError, match=r"orders' is an Iceberg table: .*StaticTable"):
        list_paths(place.at(source))


def test_a_checkpoint_in_a_log_is_refused(place):
    place("orders/_delta_log/00010.checkpoint.parquet")
    with pytest.raises(RequestError, match=r"DeltaTable\('.*orders'\)\.to_pyarrow_table"):
        list_paths(place.at("orders/_delta_log/*.parquet"))


def test_a_table_without_a_data_file_is_a_table(place):
    place("orders/_delta_log/00000000000000000000.json")
    with pytest.raises(RequestError, match="is a Delta Lake table"):
        list_paths(place.at("orders"))


def test_a_partition_of_a_hudi_table_is_known_alone(place):
    place("day=1/0.parquet", "day=1/.hoodie_partition_metadata")
    with pytest.raises(RequestError, match="is a Hudi table"):
        list_paths(place.at("day=1"))


@pytest.mark.parametrize(
    "source",
    [
        "out",
        "out/**/*.parquet",
        "out/k=1",
        "out/k=1/l=2/part-0.parquet",
        "*/k=1/l=2/*.parquet",
        "**/*.parquet",
    ],
)
def test_an_unfinished_write_is_refused(place, source):
    place("out/k=1/l=2/part-0.parquet", "out/_temporary/0/task_1/part-1.parquet")
    with pytest.raises(RequestError, match=r"out' holds a folder '_temporary': .* job is writing"):
        list_paths(place.at(source))


def test_a_folder_of_temporary_files_elsewhere_says_nothing(place):
    """Anybody may have one, in a home or in /tmp."""
    place("_temporary/x.txt", "mine/in/part-0.parquet")
    for source in ("mine/in", "mine/in/*.parquet", "mine/in/part-0.parquet"):
        assert len(list_paths(place.at(source))) == 1


@pytest.mark.parametrize("source", ["lake", "lake/ducklake-0196.parquet", "lake/*"])
def test_a_data_file_of_a_ducklake_is_refused(place, source):
    place("lake/ducklake-0196.parquet")
    with pytest.raises(RequestError, match=r"ducklake-0196\.parquet' is a data file of a DuckLake"):
        list_paths(place.at(source))


def test_folders_that_only_sound_alike_are_read(place):
    """A table is known by what its format always has there, not by a common word."""
    others = ["in/metadata/notes.json", "in/snapshot/snapshot-2026.txt", "in/_SUCCESS"]
    place("in/a.parquet", *others)
    assert [path[-9:] for path in list_paths(place.at("in/*.parquet"))] == ["a.parquet"]


@pytest.mark.parametrize("source", ["links/a.parquet", "links/*.parquet", "links", "alias"])
def test_a_link_into_a_table_is_followed(tmp_path, source):
    folder = tmp_path / "orders"
    (folder / "_delta_log").mkdir(parents=True)
    pq.write_table(TABLE, folder / "0.parquet")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.parquet").symlink_to(folder / "0.parquet")
    (tmp_path / "alias").symlink_to(folder)
    with pytest.raises(RequestError, match="is a Delta Lake table"):
        list_paths(str(tmp_path / source))


class Links(BaseHTTPRequestHandler):
    """Answers every name with a page of links, as if it was a folder."""

    asked: ClassVar = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'a\n<a href="/in/x/y.csv">y</a>\n')

    def log_message(self, *_):
        """Say nothing."""


def test_a_web_server_is_asked_for_nothing_but_the_file():
    server = HTTPServer(("127.0.0.1", 0), Links)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/in/x.csv"
    try:
        filesystem, path = open_filesystem(url)
        folders = folders_of(filesystem, [path])
        check_folders(filesystem, folders, path)
        check_finished(filesystem, [path], path)
        assert Links.asked == []
    finally:
        server.shutdown()
        server.server_close()


FILE = "part-00000-tid-77-5c3e-1-c000.parquet"


@pytest.mark.parametrize(
    ("beside", "words"),
    [
        ({"_started_77": {}}, "was never finished"),
        ({"_committed_77": {}, "_committed_78": {"removed": [FILE]}}, "was replaced by a later"),
        ({"_started_77": {}, "_committed_77": {"added": [FILE], "removed": []}}, ""),
        ({"_started_78": {}}, ""),
        ({}, ""),
    ],
)
def test_files_of_databricks_are_read_only_if_their_write_counts(place, beside, words):
    place(f"out/{FILE}")
    for name, content in beside.items():
        place(f"out/{name}", content=json.dumps(content).encode())

    for source in ("out", f"out/{FILE}", "out/*.parquet"):
        if words:
            with pytest.raises(RequestError, match=rf"{FILE}' belongs to a write .* {words}"):
                list_paths(place.at(source))
        else:
            assert [path.rpartition("/")[2] for path in list_paths(place.at(source))] == [FILE]


@pytest.mark.servers
def test_a_table_on_an_object_store_is_refused_however_its_files_are_named(s3):
    for name in ("orders/day=1/0.parquet", "plain/day=1/0.parquet"):
        write_whole(f"{s3}/lake/{name}", written(TABLE))
    write_whole(f"{s3}/lake/orders/_delta_log/0.json", b"{}")

    for source in ("orders", "orders/**/*.parquet", "orders/day=1/0.parquet", "*/day=1/*.parquet"):
        with pytest.raises(RequestError, match=r"lake/orders' is a Delta Lake table"):
            list_paths(f"{s3}/lake/{source}")
    assert len(list_paths(f"{s3}/lake/plain")) == 1

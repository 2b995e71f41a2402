"""Which files a source means: partitions, links, patterns, and what is no regular file."""

import os
import socket
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.core.errors import RequestError
from tasks.core.storage.files import check_exists, write_whole
from tasks.core.storage.location import open_filesystem
from tasks.core.tables.source_paths import list_paths

TABLE = pa.table({"a": [1, 2, 3]})


@pytest.fixture
def place(tmp_path):
    """Write files of the same table below a folder; return the paths below it that a source has."""

    def make(*names):
        for name in names:
            path = tmp_path / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(TABLE, path)

    def paths(source=""):
        found = list_paths(str(tmp_path / "in" / source))
        return [path.removeprefix(f"{tmp_path}/in/") for path in found]

    make.paths = paths
    make.folder = tmp_path / "in"
    return make


def test_a_folder_of_partitions_is_read_to_its_last_folder(place):
    """What is no data, as Spark and pandas leave it there, is left out."""
    names = ["region=EU/month=1/a.parquet", "region=EU/month=2/a.parquet", "region=US/month=1/b.pq"]
    place(*names, "_old/a.parquet", "region=EU/.cache/a.parquet", "region=EU/_tmp/a.parquet")
    (place.folder / "_SUCCESS").touch()
    (place.folder / "._SUCCESS.crc").write_bytes(b"crc")
    assert place.paths() == names
    assert place.paths("region=EU") == names[:2]


def test_a_partition_may_begin_with_an_underscore_as_for_spark(place):
    place("_year=2025/a.parquet", "_year=2026/a.parquet")
    assert place.paths() == ["_year=2025/a.parquet", "_year=2026/a.parquet"]
    assert place.paths("**/*.parquet") == place.paths()


@pytest.mark.parametrize("inside", ["", "region=EU/"])
def test_a_folder_that_is_no_partition_is_refused_wherever_it_stands(place, inside):
    place("region=EU/a.parquet", f"{inside}archive/a.parquet")
    with pytest.raises(RequestError, match=r"holds folders \(archive\): name the files, as in"):
        place.paths()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("**/*.parquet", ["a.parquet", "deep/b.parquet"]),
        ("*/*.parquet", ["deep/b.parquet"]),
        ("_*/*.parquet", ["_done/c.parquet"]),
        ("_done/*.parquet", ["_done/c.parquet"]),
        (".cop*/*.parquet", [".copies/d.parquet"]),
    ],
)
def test_a_pattern_leaves_out_what_is_hidden_unless_it_says_so(place, pattern, expected):
    """A notebook's copies in .ipynb_checkpoints are rows that are there already."""
    place("a.parquet", "deep/b.parquet", "_done/c.parquet", ".copies/d.parquet")
    place("deep/.ipynb_checkpoints/b.parquet")
    assert place.paths(pattern) == expected


@pytest.mark.parametrize("source", ["", "**/*.parquet", "*/*.parquet"])
def test_a_link_to_a_partition_is_followed(place, source):
    place("region=EU/a.parquet")
    elsewhere = place.folder.parent / "elsewhere"
    elsewhere.mkdir()
    pq.write_table(TABLE, elsewhere / "b.parquet")
    (place.folder / "region=US").symlink_to(elsewhere)
    assert place.paths(source) == ["region=EU/a.parquet", "region=US/b.parquet"]


@pytest.mark.parametrize("pattern", ["**/*.parquet", "**"])
def test_a_folder_is_entered_once_by_its_own_name_whatever_links_lead_to_it(place, pattern):
    """As `latest` or `current` do, and links to a folder above, of which there may be several."""
    place("day-1/a.parquet", "day-2/a.parquet")
    for link, target in {"latest": "day-2", "a": "day-1", "day-1/up": ".", "day-2/up": "."}.items():
        (place.folder / link).symlink_to(place.folder / target)
    assert place.paths(pattern) == ["day-1/a.parquet", "day-2/a.parquet"]


def test_a_file_that_a_pattern_matches_in_two_ways_is_read_once(place):
    place("d/d/a.parquet")
    assert place.paths("**/d/**/*.parquet") == ["d/d/a.parquet"]


@pytest.mark.parametrize("source", ["*/*.parquet", "day-1", "day-1/*.parquet"])
def test_two_names_of_one_file_are_refused(place, source):
    """Its rows would count twice."""
    place("day-1/a.parquet")
    (place.folder / "latest").symlink_to(place.folder / "day-1")
    (place.folder / "day-1" / "b.parquet").symlink_to(place.folder / "day-1" / "a.parquet")
    with pytest.raises(RequestError, match=r"'.*parquet' and '.*parquet' are one file, by a link"):
        place.paths(source)


@pytest.mark.parametrize(
    ("pattern", "folder"), [("*.parquet", "b.parquet"), ("region=*", "region=EU")]
)
def test_a_pattern_that_matches_a_folder_of_tables_is_refused(place, pattern, folder):
    """Spark writes a folder that is named like a file: its rows would be left out."""
    place("a.parquet", f"{folder}/part-0.parquet")
    with pytest.raises(RequestError, match=rf"{folder} is a folder, and .* would be left out"):
        place.paths(pattern)


def test_a_pattern_that_matches_a_folder_and_the_files_in_it_has_them_all(place):
    place("a.parquet", "b.parquet/part-0.parquet")
    assert place.paths("**/*.parquet") == ["a.parquet", "b.parquet/part-0.parquet"]


def test_partitions_of_an_object_store_are_read_alike(place):
    place("region=EU/a.parquet", "region=US/a.parquet")
    for path in place.paths():
        write_whole(f"memory://partitions/{path}", (place.folder / path).read_bytes())
    try:
        expected = ["/partitions/region=EU/a.parquet", "/partitions/region=US/a.parquet"]
        assert list_paths("memory://partitions") == expected
        assert list_paths("memory://partitions/**/*.parquet") == expected
        assert list_paths("memory://partitions/region=*/*.parquet") == expected
    finally:
        open_filesystem("memory://partitions")[0].rm("/partitions", recursive=True)


def make_pipe(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def make_device_link(path):
    path.symlink_to("/dev/zero")


SPECIAL = {"a pipe": make_pipe, "a socket": make_socket, "a device": make_device_link}


@pytest.mark.parametrize("source", ["x.csv", "", "*.csv", "**/*.csv"])
@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path, source, kind):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("a\n1\n")
    SPECIAL[kind](folder / "x.csv")
    with pytest.raises(RequestError, match=rf"'{folder}/x.csv' is {kind}, not a file: write what"):
        list_paths(str(folder / source))


def test_the_end_of_a_pipe_that_a_shell_names_is_refused(tmp_path):
    reading, writing = os.pipe()
    thread = threading.Thread(target=os.write, args=(writing, b"a\n1\n"))
    thread.start()
    try:
        with pytest.raises(RequestError, match=f"'/dev/fd/{reading}' is a pipe, not a file"):
            list_paths(f"/dev/fd/{reading}")
    finally:
        thread.join()
        os.close(reading)
        os.close(writing)


def test_a_link_to_a_regular_file_is_a_file(tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    for source in ("b.csv", "b*"):
        assert list_paths(str(tmp_path / source)) == [str(tmp_path / "b.csv")]


def test_a_model_file_that_is_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "model.skops")
    with pytest.raises(RequestError, match="is a pipe, not a file"):
        check_exists(str(tmp_path / "model.skops"))

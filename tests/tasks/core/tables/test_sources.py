import os

import pyarrow as pa
import pytest

from tasks.core.errors import AfterfitError, RequestError, SourceChangedError
from tasks.core.storage.digests import file_digest
from tasks.core.storage.secrets import without_secrets
from tasks.core.tables.listing import list_source
from tasks.core.tables.sources import check_unchanged, content_digest, source_identity

TABLE = pa.table({"a": [1, 2, 3]})


def names(source):
    return [os.path.basename(file.path) for file in list_source(str(source)).files]  # noqa: PTH119 - paths of file systems


@pytest.fixture
def folder(tmp_path, write):
    for name in (
        "b.parquet",
        "a.pq",
        "C.PARQUET",
        "_metadata.parquet",
        ".hidden.parquet",
        "_sub/d.parquet",
    ):
        write(name, TABLE)
    (tmp_path / "notes.txt").write_text("no table")
    return tmp_path


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", ["C.PARQUET", "a.pq", "b.parquet"]),
        ("b.parquet", ["b.parquet"]),
        ("?.p*", ["a.pq", "b.parquet"]),
        ("_*/d.parquet", ["d.parquet"]),
    ],
)
def test_a_source_is_a_folder_a_file_or_a_glob_in_the_order_of_names(folder, source, expected):
    """A folder skips what begins with _ or a dot, and what is no table."""
    assert names(folder / source) == expected


def test_a_name_with_glob_marks_is_a_file_where_there_is_one(tmp_path, write):
    write("x[1].parquet", TABLE)
    assert names(tmp_path / "x[1].parquet") == ["x[1].parquet"]


def test_a_file_url_is_the_file(folder):
    url, path = f"file://{folder}/b.parquet", f"{folder}/b.parquet"
    assert list_source(url) == list_source(path)


@pytest.mark.parametrize(
    ("make", "source", "words"),
    [
        ({}, "none.parquet", "nothing to read at /.*none.parquet"),
        ({}, "*.parquet", "nothing to read"),
        ({"notes.txt": b"x"}, "", "nothing to read"),
        ({"a.csv": b"a\n1\n", "b.parquet": TABLE}, "", "both Parquet and CSV"),
        (
            {"a.json": b"{}"},
            "a.json",
            r"a.json is neither Parquet nor CSV: .* \.parquet, \.pq, \.csv, \.csv\.gz",
        ),
        ({"a.parquet": b""}, "a.parquet", "a.parquet is not a whole Parquet file"),
        ({"a.parquet": b"PAR1"}, "a.parquet", "a.parquet is not a whole Parquet file"),
        (
            {"a.parquet": b"a,b\n1,2\n3,4\n5,6\n"},
            "a.parquet",
            "a.parquet is not a whole Parquet file",
        ),
    ],
)
def test_what_is_no_source_is_refused_in_one_sentence(tmp_path, write, make, source, words):
    for name, content in make.items():
        path = tmp_path / name
        write(name, content) if isinstance(content, pa.Table) else path.write_bytes(content)
    with pytest.raises(RequestError, match=words) as refused:
        list_source(str(tmp_path / source))
    assert "\n" not in str(refused.value)


def test_one_truncated_file_among_good_ones_is_named(tmp_path, write):
    for number in range(5):
        write(f"{number}.parquet", TABLE)
    whole = (tmp_path / "3.parquet").read_bytes()
    (tmp_path / "3.parquet").write_bytes(whole[:-5])
    with pytest.raises(RequestError, match=r"3\.parquet is not a whole Parquet file"):
        list_source(str(tmp_path))


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch, write):
    write("a.csv", "a\n1\n")
    monkeypatch.setattr("tasks.core.tables.sources.DIGESTS", {"csv": _denied})
    with pytest.raises(RequestError, match=r"a\.csv cannot be read: Permission denied"):
        list_source(str(tmp_path / "a.csv"))


def _denied(*_):
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("source", ["data", "./data/*.csv", "../in.parquet", "~/in.csv"])
def test_a_relative_path_is_refused(source):
    with pytest.raises(RequestError, match="relative path"):
        list_source(source)


CHANGES = {
    "a value": lambda path: write_csv(path, "a\n2\n"),
    "a row more": lambda path: write_csv(path, "a\n1\n1\n"),
    "the time of the change": lambda path: os.utime(path, ns=(0, 1)),
}


def write_csv(path, content):
    path.write_text(content)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_identity_changes_with_what_changes(tmp_path, write, change):
    before = (write("a.csv", "a\n1\n"),)
    assert source_identity(before) == source_identity(list_source(str(tmp_path)).files)
    check_unchanged(before)
    change(tmp_path / "a.csv")
    assert source_identity(before) != source_identity(list_source(str(tmp_path)).files)
    with pytest.raises(AfterfitError, match=r"a\.csv changed while it was being read"):
        check_unchanged(before)


def test_the_identity_of_parquet_sees_another_value_in_a_file_of_the_same_size_and_time(
    tmp_path, write, settled
):
    one = write("a.parquet", pa.table({"a": [1, 2, 3]}))
    settled()
    other = write("a.parquet", pa.table({"a": [1, 2, 4]}))
    assert one.size == other.size
    assert one.digest != other.digest
    assert content_digest(other) == file_digest(tmp_path / "a.parquet")
    with pytest.raises(SourceChangedError, match=r"a\.parquet changed"):
        content_digest(one)
    assert tmp_path.joinpath("a.parquet").stat().st_size == other.size


PUT_BACK = {
    "renamed": lambda path: path.rename(f"{path}.away").rename(path),
    "linked": lambda path: path.with_name("link").hardlink_to(path),
    "other permissions": lambda path: path.chmod(0o400),
}


@pytest.mark.parametrize("touch", PUT_BACK.values(), ids=PUT_BACK)
def test_a_file_that_is_touched_and_put_back_has_changed_for_the_run_that_reads_it_only(
    tmp_path, write, settled, touch
):
    """A later run finds the same file: its committed scores, or its model, are reused."""
    before = (write("a.csv", "a\n1\n"),)
    settled()
    touch(tmp_path / "a.csv")
    assert source_identity(before) == source_identity(list_source(str(tmp_path / "a.csv")).files)
    with pytest.raises(SourceChangedError, match=r"a\.csv changed while it was being read"):
        check_unchanged(before)


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_a_file_that_is_gone_or_emptied_has_changed(tmp_path, write, spoil):
    before = (write("a.parquet", TABLE),)
    spoil(tmp_path / "a.parquet")
    with pytest.raises(AfterfitError, match=r"a\.parquet changed while it was being read"):
        check_unchanged(before)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("s3://key:secret@bucket/in/*.parquet", "s3://bucket/in/*.parquet"),
        ("https://user:p%40ss@host:8443/x.csv?v=1", "https://host:8443/x.csv?v=1"),
        ("https://token@host/x.csv", "https://host/x.csv"),
        ("s3://bucket/in@home", "s3://bucket/in@home"),
        ("/data/user@host/x.csv", "/data/user@host/x.csv"),
    ],
)
def test_credentials_are_taken_out_of_a_url(location, shown):
    assert without_secrets(location) == shown


@pytest.mark.parametrize("scheme", ["memory", "nosuch", "http"])
def test_no_message_holds_the_credentials_of_a_url(scheme):
    with pytest.raises(RequestError) as refused:
        list_source(f"{scheme}://user:secret@127.0.0.1:1/in.parquet")
    assert "secret" not in str(refused.value)
    assert "127.0.0.1:1/in.parquet" in str(refused.value)


def test_a_folder_with_folders_is_refused_and_all_its_files_can_be_named(tmp_path, write, mixed):
    """Their rows would be left out; those of folders that are hidden are meant to be."""
    write("in/a.parquet", mixed)
    write("in/_done/b.parquet", mixed)
    assert len(list_source(str(tmp_path / "in")).files) == 1
    write("in/day/b.parquet", mixed)
    with pytest.raises(
        RequestError, match=r"holds folders \(day\): name the files, as in .*/in/\*\*/\*\.parquet"
    ):
        list_source(str(tmp_path / "in"))
    assert len(list_source(str(tmp_path / "in/*.parquet")).files) == 1
    assert len(list_source(str(tmp_path / "in/day/*.parquet")).files) == 1
    assert names(tmp_path / "in/**/*.parquet") == ["a.parquet", "b.parquet"]
    assert names(tmp_path / "in/_done/*.parquet") == ["b.parquet"]

"""What a worker tells of what it reaches."""

import pytest

from tasks.runner.reach import probe


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a\n")
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "token").write_text("")
    return path


def test_a_worker_that_reaches_all_says_nothing_and_leaves_nothing(table, folder):
    assert probe({str(table): 2}, str(folder), "token") == ""
    assert [path.name for path in folder.iterdir()] == ["token"]


def test_files_that_a_worker_does_not_see_as_they_are_here_are_named(table):
    missing = f"{table}.gz"
    assert probe({str(table): 3}, "", "") == f"sees another {table} (2 bytes, here 3)"
    assert probe({missing: 3}, "", "") == f"cannot read {missing} (No such file or directory)"


def test_a_folder_that_a_worker_does_not_see_is_named(tmp_path):
    elsewhere = str(tmp_path / "none")
    assert probe({}, elsewhere, "token") == f"does not see what was written here to {elsewhere}"


def test_only_the_first_thing_that_is_not_reached_is_told(table, tmp_path):
    assert probe({str(table): 3}, str(tmp_path / "none"), "token").startswith("sees another ")

"""What a worker tells of what it reaches."""

from tasks.runner.reach import probe


def test_files_and_folders_that_a_worker_does_not_reach_are_named(tmp_path):
    here, there = tmp_path / "table.csv", tmp_path / "folder"
    here.write_text("a\n")
    there.mkdir()
    (there / "token").write_text("")
    assert probe({str(here): 2}, str(there), "token") == ""
    assert probe({str(here): 3}, "", "") == f"sees another {here} (2 bytes, here 3)"
    assert probe({f"{here}.gz": 3}, "", "") == f"cannot read {here}.gz (No such file or directory)"
    assert probe({}, str(tmp_path / "none"), "token") == (
        f"does not see what was written here to {tmp_path / 'none'}"
    )
    assert [path.name for path in there.iterdir()] == ["token"]

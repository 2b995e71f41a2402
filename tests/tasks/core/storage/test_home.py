import os
from pathlib import Path

from tasks.core.storage.home import home_folder, scratch_folder

NO_PROCESS = 2**22 + 1  # above the largest process id of Linux


def test_the_home_is_what_the_environment_names_as_an_absolute_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value, expected in {
        "": Path.home() / ".afterfit",
        "/a/b": Path("/a/b"),
        "here": tmp_path / "here",
    }.items():
        monkeypatch.setenv("AFTERFIT_HOME", value)
        assert home_folder() == expected


def test_scratch_space_goes_with_its_run_and_with_dead_processes(tmp_path, monkeypatch):
    monkeypatch.setenv("AFTERFIT_HOME", str(tmp_path))
    alive, dead = (tmp_path / "scratch" / f"{pid}-x" for pid in (os.getppid(), NO_PROCESS))
    alive.mkdir(parents=True)
    dead.mkdir()
    with scratch_folder() as folder:
        (folder / "file").touch()
        assert folder.parent == tmp_path / "scratch"
        assert (alive.exists(), dead.exists()) == (True, False)
    assert sorted((tmp_path / "scratch").iterdir()) == [alive]

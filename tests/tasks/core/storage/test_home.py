import os
from pathlib import Path

import pytest

from tasks.core.storage.home import home_folder, scratch_folder

NO_PROCESS = 2**22 + 1  # above the largest process id of Linux


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("", Path.home() / ".afterfit"),
        ("/a/b", Path("/a/b")),
        ("here", Path("here")),
    ],
)
def test_the_home_is_what_the_environment_names_as_an_absolute_path(
    tmp_path, monkeypatch, named, expected
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AFTERFIT_HOME", named)
    assert home_folder() == tmp_path / expected


def test_scratch_space_goes_with_its_run_and_with_dead_processes(tmp_path, monkeypatch):
    monkeypatch.setenv("AFTERFIT_HOME", str(tmp_path))
    scratch = tmp_path / "scratch"
    alive, dead = scratch / f"afterfit-{os.getppid()}-x", scratch / f"afterfit-{NO_PROCESS}-x"
    alive.mkdir(parents=True)
    dead.mkdir()

    with scratch_folder() as folder:
        (folder / "file").touch()
        assert folder.parent == scratch
        assert alive.exists()
        assert not dead.exists()

    assert list(scratch.iterdir()) == [alive]


@pytest.mark.parametrize(
    "name",
    [f"{NO_PROCESS}-reports", f"afterfit-{NO_PROCESS}", f"afterfit-{NO_PROCESS}-a b", "mine"],
)
def test_what_is_not_ours_in_the_scratch_space_stays(tmp_path, monkeypatch, name):
    """It may be a link to a disk with room, where others keep theirs."""
    monkeypatch.setenv("AFTERFIT_HOME", str(tmp_path / "home"))
    mine = tmp_path / "disk" / name
    mine.mkdir(parents=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "scratch").symlink_to(tmp_path / "disk")

    with scratch_folder():
        pass
    assert list((tmp_path / "disk").iterdir()) == [mine]

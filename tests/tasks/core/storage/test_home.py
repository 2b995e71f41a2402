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
    alive, dead = scratch / f"{os.getppid()}-x", scratch / f"{NO_PROCESS}-x"
    alive.mkdir(parents=True)
    dead.mkdir()

    with scratch_folder() as folder:
        (folder / "file").touch()
        assert folder.parent == scratch
        assert alive.exists()
        assert not dead.exists()

    assert list(scratch.iterdir()) == [alive]

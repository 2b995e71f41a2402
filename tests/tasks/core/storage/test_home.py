import os
import stat
from pathlib import Path

import pytest

from tasks.core.errors import RequestError
from tasks.core.storage.home import home_folder, private_home, scratch_folder

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


@pytest.fixture
def open_home(tmp_path, monkeypatch):
    """A home that others can look into."""
    folder = tmp_path / "home"
    folder.mkdir()
    folder.chmod(0o755)
    monkeypatch.setenv("AFTERFIT_HOME", str(folder))
    return folder


def mode_of(folder):
    return stat.S_IMODE(folder.stat().st_mode)


def test_a_home_is_made_for_its_owner_alone_by_whoever_needs_it_first(tmp_path, monkeypatch):
    monkeypatch.setenv("AFTERFIT_HOME", str(tmp_path / "new" / "home"))
    with scratch_folder():
        assert mode_of(tmp_path / "new" / "home") == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o777, 0o701])
@pytest.mark.parametrize("held", [[], ["models", "scratch"], ["servers", "something else"]])
def test_a_home_that_others_can_open_is_shut(open_home, mode, held):
    for name in held:
        (open_home / name).mkdir()
    open_home.chmod(mode)
    assert private_home() == open_home
    assert mode_of(open_home) == 0o700


@pytest.mark.parametrize("held", [["Documents"], ["models", "notes"]])
def test_an_open_folder_with_other_things_in_it_is_left_as_it_is_and_refused(open_home, held):
    """As the user's own home folder would be, or a project with a folder of models."""
    for name in held:
        (open_home / name).mkdir()
    told = r"home' is open to other users \(mode 755\) and holds other things: set AFTERFIT_HOME"
    with pytest.raises(RequestError, match=told):
        private_home()
    assert mode_of(open_home) == 0o755

    open_home.chmod(0o700)
    assert private_home() == open_home


def test_a_home_of_somebody_elses_is_refused(open_home, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: open_home.stat().st_uid + 1)
    with pytest.raises(RequestError, match="belongs to another user: set AFTERFIT_HOME"):
        private_home()
    assert mode_of(open_home) == 0o755


def test_a_disk_that_keeps_no_permissions_is_refused(open_home, monkeypatch):
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    with pytest.raises(RequestError, match=r"stays open to other users \(mode 755\): set AFTERFIT"):
        private_home()


def test_a_home_that_cannot_be_made_is_told_in_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AFTERFIT_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(RequestError, match=r"The home cannot be made .*set AFTERFIT_HOME"):
        private_home()

"""The folders of the home in which afterfit deletes."""

import pytest

from tasks.core.errors import RequestError
from tasks.core.storage.own_folders import own_folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "new" / "home"
    monkeypatch.setenv("AFTERFIT_HOME", str(home))
    return home


def test_a_folder_is_made_for_its_owner_alone(home):
    assert own_folder("models") == home / "models"
    assert own_folder("models").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_its_place_is_refused_with_the_way_out(home, tmp_path, there):
    home.mkdir(parents=True)
    (home / "models").symlink_to(tmp_path / "elsewhere")
    if there:
        (tmp_path / "elsewhere").mkdir()

    with pytest.raises(RequestError, match=r"models' is a symbolic link.*set AFTERFIT_HOME"):
        own_folder("models")
    assert (tmp_path / "elsewhere").exists() is there


def test_a_file_in_its_place_is_refused(home):
    home.mkdir(parents=True)
    (home / "models").write_text("mine")
    with pytest.raises(RequestError, match="models' cannot be made: File exists"):
        own_folder("models")
    assert (home / "models").read_text() == "mine"


def test_a_home_may_itself_be_a_link(home, tmp_path):
    (tmp_path / "disk").mkdir()
    home.parent.mkdir()
    home.symlink_to(tmp_path / "disk")
    own_folder("models")
    assert (tmp_path / "disk" / "models").is_dir()

"""The home is a folder for its owner alone, on a disk of this machine."""

import pytest

from deployments.servers.home import home, read_mounts
from tasks.core.errors import RequestError


def test_the_home_is_made_for_its_owner_alone(alone):
    assert home() == alone
    assert alone.stat().st_mode & 0o777 == 0o700


def test_a_home_that_others_could_open_is_shut(alone):
    alone.mkdir()
    alone.chmod(0o755)
    assert home() == alone
    assert alone.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kind", ["ext4", "overlay", "tmpfs"])
def test_a_home_on_a_local_disk_is_used(alone, kind):
    mounts = [("/", "nfs4"), (str(alone.parent), kind)]
    assert home(lambda: mounts) == alone


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_home_on_a_network_file_system_is_refused(alone, kind):
    words = rf"network file system \({kind}\); set AFTERFIT_HOME"
    mounts = [("/", "ext4"), (str(alone.parent), kind)]
    with pytest.raises(RequestError, match=words):
        home(lambda: mounts)

    assert not alone.exists()


def test_a_home_that_cannot_be_made_is_refused(alone):
    alone.write_text("a file")

    with pytest.raises(RequestError, match="set AFTERFIT_HOME"):
        home()


def test_the_real_mounts_are_understood():
    assert "/" in dict(read_mounts())

"""What lies beside an output: ours by its marker, or somebody else's and left alone."""

import os

import pytest

from tasks.core.errors import RequestError
from tasks.core.output.beside import LOCK, MARKER, STAGING, beside, check_beside, claim, discard
from tasks.core.output.open import open_output


def make_file(path):
    path.write_text("mine")


def make_checkout(path):
    (path / ".git").mkdir(parents=True)
    (path / ".git" / "HEAD").write_text("ref: refs/heads/main")


def make_link_to_a_folder(path):
    make_checkout(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def make_link_to_a_staging(path):
    claim(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def make_link_to_a_file(path):
    make_file(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def make_link_to_nothing(path):
    path.symlink_to("elsewhere")


def make_folder_with_a_marker_that_is_a_link(path):
    make_checkout(path)
    make_file(path.with_name("elsewhere"))
    (path / MARKER).symlink_to("../elsewhere")


FOREIGN = [
    (STAGING, make_file),
    (STAGING, make_checkout),
    (STAGING, make_link_to_a_folder),
    (STAGING, make_link_to_a_staging),
    (STAGING, make_link_to_nothing),
    (STAGING, make_folder_with_a_marker_that_is_a_link),
    (STAGING, os.mkfifo),
    (LOCK, make_file),
    (LOCK, make_checkout),
    (LOCK, make_link_to_a_file),
    (LOCK, make_link_to_nothing),
    (LOCK, os.mkfifo),
]


def everything_below(folder):
    """Return what there is, with content and times."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        about = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (about.st_mode, about.st_mtime_ns, about.st_ino, content)
    return found


@pytest.mark.parametrize(("kind", "make"), FOREIGN)
@pytest.mark.parametrize("committed", [False, True])
def test_what_is_not_ours_beside_an_output_refuses_a_run_and_nothing_is_changed(
    folder, tmp_path, kind, make, committed
):
    """Whether it was there before the run began, or came just before its lock."""
    if committed:
        folder.publish(1)
    early = folder.open()
    path = beside(tmp_path / "scores", kind)
    make(path)
    before = everything_below(tmp_path)

    words = rf"'.*/\.scores\.{kind}' was not made by afterfit, .*: move it away, or name another"
    with pytest.raises(RequestError, match=words):
        open_output(folder.location)
    with pytest.raises(RequestError, match=words), early.locked():
        pytest.fail("it is somebody else's")

    assert everything_below(tmp_path) == before


@pytest.mark.parametrize(("kind", "make"), FOREIGN)
def test_what_is_not_ours_beside_an_output_is_no_failure_of_ours(tmp_path, folder, kind, make):
    """Nor is a reason written into it, as a backfill does."""
    output = folder.open()
    make(beside(tmp_path / "scores", kind))
    before = everything_below(tmp_path)

    assert output.failure() is None
    if kind == STAGING:
        with pytest.raises(FileExistsError):
            output.remember("no source")
        assert everything_below(tmp_path) == before


def test_a_run_that_fails_at_once_leaves_no_folder_that_it_made(tmp_path):
    output = open_output(str(tmp_path / "new" / "deep" / "scores"))
    with pytest.raises(KeyboardInterrupt), output.locked(), output.stage("k" * 64):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [".scores.staging", ".scores.old", ".scores.lock", "scores.old"])
def test_names_that_a_user_may_well_have_are_not_in_the_way(tmp_path, folder, name):
    make_checkout(tmp_path / name)
    before = everything_below(tmp_path / name)
    folder.publish(1)
    folder.publish(2)

    folder.assert_holds(2)
    assert everything_below(tmp_path / name) == before
    assert sorted(folder.neighbours()) == sorted([name, "scores"])


def test_an_empty_folder_is_claimed_and_a_claimed_one_stays_claimed(tmp_path):
    staging = beside(tmp_path / "scores", STAGING)
    staging.mkdir()
    check_beside(tmp_path / "scores")
    for _ in range(2):
        claim(staging)
        assert [path.name for path in staging.iterdir()] == [MARKER]


def test_a_folder_without_our_marker_is_not_deleted(tmp_path):
    make_checkout(tmp_path / "mine")
    before = everything_below(tmp_path)
    discard(tmp_path / "mine")
    assert everything_below(tmp_path) == before


def test_a_folder_of_ours_is_deleted_and_what_its_links_lead_to_stays(tmp_path):
    staging, mine = tmp_path / "staging", tmp_path / "mine"
    make_checkout(mine)
    claim(staging)
    (staging / "attempt" / "parts").mkdir(parents=True)
    for link in ("link", "attempt/link", "attempt/parts/link"):
        (staging / link).symlink_to(mine)
    before = everything_below(mine)

    discard(staging)
    assert list(tmp_path.iterdir()) == [mine]
    assert everything_below(mine) == before


def test_a_folder_that_cannot_be_deleted_whole_keeps_its_marker(tmp_path, monkeypatch):
    """The next run knows it as ours."""
    claim(tmp_path / "staging")
    (tmp_path / "staging" / "file").touch()
    monkeypatch.setattr("tasks.core.output.beside.delete_path", lambda _: None)
    discard(tmp_path / "staging")
    assert (tmp_path / "staging" / MARKER).exists()

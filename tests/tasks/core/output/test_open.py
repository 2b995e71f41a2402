import os
from pathlib import Path

import pytest

from tasks.core.errors import RequestError
from tasks.core.output.folder import FolderOutput
from tasks.core.output.manifest import MANIFEST_NAME, QUARANTINE
from tasks.core.output.object_store import ObjectOutput
from tasks.core.output.open import open_output
from tasks.core.storage.files import write_whole
from tasks.core.storage.location import join

PART = "part-01234567-00000.parquet"


def make_folder(path, *names):
    path.mkdir()
    for name in names:
        (path / name).touch()
    return str(path)


def make_file(path):
    path.touch()
    return str(path)


def place_in_scores(tmp):
    make_folder(tmp / "scores", MANIFEST_NAME)
    return str(tmp / "scores" / "more" / "new")


def place_with_quarantine(tmp):
    path = make_folder(tmp / "scores", MANIFEST_NAME, PART)
    (tmp / "scores" / QUARANTINE).mkdir()
    return path


def place_notes_in_quarantine(tmp):
    path = place_with_quarantine(tmp)
    (tmp / "scores" / QUARANTINE / "notes.txt").touch()
    return path


NO_PLACE = {
    "a name": (lambda _: "scores", "is a relative path"),
    "a relative path": (lambda _: "./scores", "is a relative path"),
    "a file": (lambda tmp: make_file(tmp / "file"), "is a file"),
    "a mount point": (lambda _: "/proc", "is a mount point"),
    "notes": (
        lambda tmp: make_folder(tmp / "mine", "notes.txt"),
        r"no scores of afterfit \(notes.txt\)",
    ),
    "a repository": (lambda tmp: make_folder(tmp / "mine", ".git"), "no scores of afterfit"),
    "parts without a manifest": (
        lambda tmp: make_folder(tmp / "mine", "part-0.parquet"),
        "no scores of afterfit",
    ),
    "notes among scores": (
        lambda tmp: make_folder(tmp / "mine", MANIFEST_NAME, PART, "notes.txt"),
        r"\(notes.txt\)",
    ),
    "a file named like a part among scores": (
        lambda tmp: make_folder(tmp / "mine", MANIFEST_NAME, "part-mine.parquet"),
        r"\(part-mine.parquet\)",
    ),
    "notes in quarantine": (place_notes_in_quarantine, r"\(_quarantine/notes.txt\)"),
    "the current directory": (lambda _: str(Path.cwd()), "is, or holds, the current directory"),
    "a folder above it": (lambda _: str(Path.cwd().parent), "is, or holds, the current directory"),
    "the home": (lambda _: str(Path.home()), "is, or holds, your home|the current directory"),
    "inside scores": (
        place_in_scores,
        "scores, which holds scores: a replacement would delete it",
    ),
}


@pytest.mark.parametrize(("make", "words"), NO_PLACE.values(), ids=NO_PLACE)
def test_a_path_that_would_destroy_or_cannot_hold_scores_is_refused(tmp_path, make, words):
    path = make(tmp_path)

    with pytest.raises(RequestError, match=words):
        open_output(path)


GOOD_PLACE = {
    "new": lambda tmp: str(tmp / "new" / "deep"),
    "empty": lambda tmp: make_folder(tmp / "empty"),
    "committed": lambda tmp: make_folder(tmp / "scores", MANIFEST_NAME, PART, ".DS_Store"),
    "with an empty quarantine": place_with_quarantine,
}


@pytest.mark.parametrize("make", GOOD_PLACE.values(), ids=GOOD_PLACE)
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_new_an_empty_and_a_committed_folder_are_outputs(tmp_path, make, scheme):
    path = make(tmp_path)
    real = os.path.realpath(path)
    assert open_output(f"{scheme}{path}") == FolderOutput(real)


def test_an_output_behind_a_link_is_the_folder_it_leads_to(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)

    for path in (link, link / ".." / "real"):
        output = open_output(str(path))
        assert output.location == str(real.resolve())


def test_a_link_that_leads_nowhere_keeps_a_folder_from_being_an_output(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "lost").symlink_to(tmp_path / "none")

    with pytest.raises(RequestError, match=r"no scores of afterfit \(lost\)"):
        open_output(str(mine))


def test_a_url_is_an_output_on_an_object_store_with_the_manifest_as_it_is_now(url):
    assert open_output(f"{url}/") == ObjectOutput(url, None)

    write_whole(join(url, MANIFEST_NAME), b"{}")
    assert open_output(url) == ObjectOutput(url, b"{}")


def test_a_url_that_holds_something_else_is_refused(url):
    write_whole(join(url, "notes.txt"), b"mine")
    words = r"no scores of afterfit \(notes.txt\)"
    with pytest.raises(RequestError, match=words):
        open_output(url)

    write_whole(join(url, MANIFEST_NAME), b"{}")
    with pytest.raises(RequestError, match=words):
        open_output(url)


def test_a_url_with_a_password_is_refused():
    with pytest.raises(RequestError, match="leave user, password, token"):
        open_output("s3://key:secret@bucket/scores")


def test_an_empty_current_directory_is_no_place_for_scores(tmp_path, monkeypatch):
    """Nor is an empty home: they would be swapped under whoever is in them."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match="is, or holds, the current directory"):
        open_output(str(tmp_path))

    monkeypatch.chdir("/")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(RequestError, match="is, or holds, your home"):
        open_output(str(tmp_path))
    assert list(tmp_path.iterdir()) == []

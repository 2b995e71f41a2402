"""What is ours in a folder of scores, and what is not."""

import pytest

from tasks.core.output.manifest import MANIFEST_NAME, QUARANTINE
from tasks.core.output.strangers import delete_scores, find_strangers

PART = "part-01234567-00000.parquet"


@pytest.fixture
def scores(tmp_path):
    """A folder of scores, with some in quarantine."""
    folder = tmp_path / "scores"
    (folder / QUARANTINE).mkdir(parents=True)
    for name in (MANIFEST_NAME, PART, f"{QUARANTINE}/{PART}"):
        (folder / name).touch()
    return folder


def make_file(path):
    path.write_text("mine")


def make_folder(path):
    path.mkdir()
    make_file(path / "thesis.txt")


def make_link(path):
    path.symlink_to(path.parent / "nowhere")


STRANGERS = [
    ("notes.txt", make_file),
    ("part-mine.parquet", make_file),
    ("part-01234567-00000.csv", make_file),
    ("part-01234567-00000.parquet.bak", make_file),
    (".hidden", make_file),
    ("_SUCCESS", make_file),
    ("reports", make_folder),
    (".git", make_folder),
    ("part-01234567-00001.parquet", make_folder),
    ("part-01234567-00001.parquet", make_link),
    (f"{QUARANTINE}/seen.txt", make_file),
    (f"{QUARANTINE}/_manifest.json", make_file),
    (f"{QUARANTINE}/seen", make_folder),
    (f"{QUARANTINE}/part-01234567-00001.parquet", make_link),
]
LITTER = [".DS_Store", "Thumbs.db", "desktop.ini", ".nfs000000000123abcd00000001"]


@pytest.mark.parametrize(("name", "make"), STRANGERS)
def test_what_afterfit_has_not_written_is_found_and_outlives_the_scores(scores, name, make):
    make(scores / name)
    assert find_strangers(scores) == [name]

    delete_scores(scores)
    left = {str(path.relative_to(scores)) for path in scores.rglob("*")}
    assert name in left
    assert left.isdisjoint({MANIFEST_NAME, PART, f"{QUARANTINE}/{PART}"})


def test_scores_alone_hold_no_stranger_and_go_whole(scores):
    assert find_strangers(scores) == []
    delete_scores(scores)
    assert not scores.exists()


@pytest.mark.parametrize("name", LITTER)
@pytest.mark.parametrize("inside", ["", QUARANTINE])
def test_what_file_managers_leave_is_nobodys_and_goes_with_the_scores(scores, name, inside):
    (scores / inside / name).touch()
    assert find_strangers(scores) == []
    delete_scores(scores)
    assert not scores.exists()


def test_without_a_manifest_everything_is_a_stranger(scores):
    (scores / MANIFEST_NAME).unlink()
    assert find_strangers(scores) == [QUARANTINE, PART]


@pytest.mark.parametrize("make", [make_file, make_link])
def test_what_is_no_folder_is_a_stranger_itself(tmp_path, make):
    make(tmp_path / "scores")
    assert find_strangers(tmp_path / "scores") == ["scores"]


def test_a_link_to_scores_is_a_stranger_and_they_stay(tmp_path, scores):
    link = tmp_path / "link"
    link.symlink_to(scores)
    assert find_strangers(link) == ["link"]
    assert find_strangers(tmp_path / "none") == []


def test_a_quarantine_that_is_a_link_is_a_stranger_and_nothing_behind_it_is_deleted(
    tmp_path, scores
):
    real = tmp_path / "real"
    (scores / QUARANTINE).rename(real)
    (scores / QUARANTINE).symlink_to(real)
    assert find_strangers(scores) == [QUARANTINE]

    delete_scores(scores)
    assert (real / PART).exists()

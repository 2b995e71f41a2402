"""Replacing scores in a folder: what somebody else puts there is kept, or refuses the commit."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output.beside import STAGING, beside
from tasks.core.output.exchange import exchange
from tasks.core.output.manifest import QUARANTINE
from tasks.core.output.open import open_folder


def no_exchange(_one, _other):
    return False


def drop_notes(output):
    (output / "notes.txt").write_text("mine")


def drop_into_quarantine(output):
    (output / QUARANTINE).mkdir()
    (output / QUARANTINE / "seen.csv").write_text("mine")


def drop_folder(output):
    (output / "reports").mkdir()
    (output / "reports" / "may.pdf").write_text("mine")


def drop_hidden(output):
    (output / ".keep").write_text("mine")


def drop_part(output):
    (output / "part-mine.parquet").write_text("mine")


def become_a_link(output):
    output.rename(output.with_name("moved"))
    output.symlink_to("moved")


def become_a_file(output):
    output.rename(output.with_name("moved"))
    output.write_text("mine")


DROPPED = {
    drop_notes: "notes.txt",
    drop_into_quarantine: f"{QUARANTINE}/seen.csv",
    drop_folder: "reports",
    drop_hidden: ".keep",
    drop_part: "part-mine.parquet",
    become_a_link: "scores",
    become_a_file: "scores",
}
each_drop = pytest.mark.parametrize("drop", DROPPED)


@pytest.fixture(params=[exchange, no_exchange], ids=["exchange", "two renames"])
def scores(request, folder):
    """A place with committed scores of version 1."""
    place = replace(folder, open_at=lambda path: replace(open_folder(path), exchange=request.param))
    place.publish(1)
    return place


def content_of(folder):
    found = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in found}


@each_drop
def test_a_file_that_comes_during_a_run_refuses_its_commit(scores, tmp_path, drop):
    """The output is what it was, and what is done is kept: without the file, the run goes on."""
    new = scores.make_scores(2)
    finished = []

    def run():
        with scores.run(new.run_key) as (output, staging):
            finished.append(new.write_to(staging))
            drop(Path(scores.location))
            finished.append(content_of(scores.location))
            output.commit(finished[0], staging)

    words = rf"holds files that are no scores of afterfit \('{DROPPED[drop]}'\), which came while"
    with pytest.raises(AfterfitError, match=words):
        run()
    assert content_of(scores.location) == finished[1]
    staging = beside(tmp_path / "scores", STAGING)
    assert len(list(staging.glob("*/records/*.json"))) == 2


@each_drop
def test_a_file_that_comes_in_the_last_moment_is_kept_with_what_it_was_put_into(
    scores, tmp_path, monkeypatch, drop
):
    """The new scores are committed, and where the old ones are is told."""
    new = scores.make_scores(2)
    found = []

    def drop_and_see(output):
        drop(output)
        found.extend(content_of(output).values())
        return []

    with scores.run(new.run_key) as (output, staging):
        manifest = new.write_to(staging)
        with monkeypatch.context() as patched:
            patched.setattr("tasks.core.output.folder.find_strangers", drop_and_see)
            told = output.commit(manifest, staging)

    scores.assert_holds(2)
    (kept,) = tmp_path.glob("scores.kept-*")
    assert len(told) == 1
    assert told[0].endswith(f"as it was replaced: it is kept in {kept}")
    values = [kept.read_bytes()] if kept.is_file() else list(content_of(kept).values())
    if drop is not become_a_file:
        assert sorted(values) == sorted(found)
    moved = {"moved"} & set(scores.neighbours())
    assert set(scores.neighbours()) == {"scores", kept.name, *moved}


def test_scores_with_what_a_file_manager_left_are_replaced_whole(scores):
    (Path(scores.location) / ".DS_Store").touch()
    scores.publish(2)
    scores.assert_holds(2)
    scores.assert_alone()


def test_an_empty_folder_with_what_a_file_manager_left_becomes_the_output(folder):
    Path(folder.location).mkdir()
    (Path(folder.location) / ".DS_Store").touch()
    folder.publish(1)
    folder.assert_holds(1)
    folder.assert_alone()


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EBUSY])
def test_an_output_that_cannot_be_swapped_is_refused_before_anything_is_scored(
    scores, monkeypatch, number
):
    before = content_of(scores.location)
    rename = Path.rename

    def rename_unless_it_is_the_output(path, target):
        if str(path) == scores.location:
            raise OSError(number, os.strerror(number))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", rename_unless_it_is_the_output)
    words = "cannot be swapped in one step"
    with pytest.raises(RequestError, match=words), scores.run("k" * 64):
        pytest.fail("nothing may be scored")
    assert content_of(scores.location) == before
    assert scores.neighbours() == ["scores"]


def test_a_swap_that_fails_at_the_end_leaves_the_old_scores_and_what_is_done(scores, monkeypatch):
    """The next run commits it."""
    new, rename = scores.make_scores(2), Path.rename

    def rename_unless_it_makes_the_output(path, target):
        if path.name == "parts":
            raise OSError(errno.EIO, "Input/output error")
        return rename(path, target)

    def run():
        with scores.run(new.run_key) as (output, staging):
            manifest = new.write_to(staging)
            by_renames = replace(output, exchange=no_exchange)
            with monkeypatch.context() as patched:
                patched.setattr(Path, "rename", rename_unless_it_makes_the_output)
                by_renames.commit(manifest, staging)

    with pytest.raises(AfterfitError, match=r"cannot be replaced: Input/output error\. What is"):
        run()
    scores.assert_holds(1)
    with scores.run(new.run_key) as (_, staging):
        assert len(list(Path(staging.records).iterdir())) == 2
    scores.publish(2)
    scores.assert_holds(2)
    scores.assert_alone()


LINKS = ["parts", f"parts/{QUARANTINE}", "records", "tables", "parts/part-kkkkkkkk-00009.parquet"]


@pytest.mark.parametrize("link", LINKS)
def test_nothing_is_written_or_deleted_where_a_link_in_a_dead_attempt_leads(scores, tmp_path, link):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine")
    attempt = Path(scores.fail().parts).parent
    planted = attempt / link
    if planted.exists():
        planted.rename(attempt / "away")
    planted.symlink_to(mine)

    scores.publish(2)
    scores.assert_holds(2)
    assert content_of(mine) == {f"{mine}/thesis.txt": b"mine"}
    assert sorted(scores.neighbours()) == ["mine", "scores"]


@pytest.fixture
def bind_mount(tmp_path):
    """A committed output onto which a folder of the same disk is mounted."""

    def mount(output):
        other = tmp_path / "other"
        other.mkdir()
        command = ["mount", "--bind", other, output]
        if (
            sys.platform != "linux"
            or subprocess.run(command, capture_output=True, check=False).returncode
        ):
            pytest.skip("only root may mount a folder")
        mounted.append(output)

    mounted = []
    yield mount
    for output in mounted:
        subprocess.run(["umount", output], check=True)


def test_a_folder_of_the_same_disk_that_is_mounted_as_the_output_is_refused_at_once(
    folder, bind_mount
):
    Path(folder.location).mkdir()
    bind_mount(folder.location)
    words = "cannot be swapped in one step|is a mount point"
    with pytest.raises(RequestError, match=words), folder.run("k" * 64):
        pytest.fail("nothing may be scored")

"""Batch scoring onto storage that is full, forbidden, or not where it seems to be."""

import contextlib
import os
import resource
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from flows.scoring import score_batch
from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output.folder import FolderOutput
from tasks.core.scoring.piece import score_piece

OTHER = 100_000_000  # where the ids of a second source begin


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 160 kB: its folder, and what changes its size or makes it read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = (
        sys.platform == "linux"
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", folder],
            capture_output=True,
            check=False,
        ).returncode
    )
    if not mounted:
        pytest.skip("only root may mount a small disk")

    def remount(options):
        subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)

    yield folder, remount
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_full_while_parts_are_written_fails_the_run_and_nothing_else(
    champion, make_source, laws, reference, small_disk
):
    """The old output stays; with room again, the same command ends with the same content."""
    (folder, remount), source = small_disk, make_source(8)
    output = folder / "out"
    score_batch(champion, str(make_source(0.5, OTHER).path), str(output))
    laws.remember(output)
    with pytest.raises(
        AfterfitError, match=r"part-.*\.parquet cannot be written: No space left on device"
    ):
        score_batch(champion, str(source.path), str(output), replace=True)
    laws.unchanged(output)
    assert list(folder.glob(".out.afterfit-staging/*/parts/*.tmp")) == []
    remount("size=64m")
    done = score_batch(champion, str(source.path), str(output), replace=True)
    assert 0 < done.rows_reused < len(source.ids)
    laws.alone(output, source.ids)
    assert laws.parts_of(output) == reference(champion, source)


def test_a_disk_that_is_full_at_the_commit_fails_the_run_and_keeps_all_it_scored(
    champion, make_source, laws, reference, small_disk, monkeypatch
):
    """There is room for every part, and none for the manifest."""
    (folder, _), source = small_disk, make_source(1)
    output, filler = folder / "out", folder / "filler"
    score_batch(champion, str(make_source(0.5, OTHER).path), str(output))
    laws.remember(output)
    undisturbed = FolderOutput.commit

    def commit_on_a_full_disk(self, manifest, staging):
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(b"0" * 4096):
                pass
        undisturbed(self, manifest, staging)

    with monkeypatch.context() as patch:
        patch.setattr(FolderOutput, "commit", commit_on_a_full_disk)
        with pytest.raises((AfterfitError, OSError), match="No space left on device"):
            score_batch(champion, str(source.path), str(output), replace=True)
    laws.unchanged(output)
    filler.unlink()
    assert score_batch(champion, str(source.path), str(output), replace=True).rows_reused == len(
        source.ids
    )
    laws.alone(output, source.ids)
    assert laws.parts_of(output) == reference(champion, source)


def test_a_limit_on_the_size_of_files_fails_the_command_with_one_line(
    champion, make_source, start, laws, tmp_path
):
    """Files may hold 10 kB at most, and the parts are larger.

    So is the model, which has been fetched before.
    """
    source = make_source(2)
    score_batch(champion, str(make_source(0.5, OTHER).path), str(tmp_path / "other"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # What is started now inherits it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        run = start(champion, source.path, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    laws.failed(run.wait(), "cannot be written: File too large. What is done is kept")
    laws.unchanged(tmp_path / "out")
    run.assert_gone()


@pytest.fixture
def scored(monkeypatch):
    """The pieces that were scored."""
    pieces = []
    monkeypatch.setattr(
        "tasks.score.score_piece",
        lambda piece, *more: pieces.append(piece) or score_piece(piece, *more),
    )
    return pieces


@pytest.mark.parametrize("exists", [True, False], ids=["an older output", "no output"])
def test_a_read_only_place_is_refused_before_anything_is_scored(
    champion, make_source, laws, small_disk, scored, exists
):
    """It is refused at the start, not after hours of scoring."""
    folder, remount = small_disk
    output = folder / "out"
    if exists:
        score_batch(champion, str(make_source(0.01, OTHER).path), str(output))
        laws.remember(output)
    scored.clear()
    remount("ro")
    with pytest.raises(RequestError, match="cannot be written to: Read-only file system"):
        score_batch(champion, str(make_source(0.02).path), str(output), replace=True)
    assert scored == []
    laws.unchanged(output)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("file", "file is a file"),
        ("link to file", "file is a file"),
        ("file/below", "file cannot be written to"),
        ("/dev/full", "/dev/full is a file"),
        ("pipe", "pipe is a file"),
        ("loop", "loop is a file"),
        ("mine", r"holds .*afterfit \(thesis.txt\)"),
        ("sub/../mine", r"holds .*afterfit \(thesis.txt\)"),
        ("in", r"holds .*afterfit \(rows.parquet\)"),
        ("link to in", r"holds .*afterfit \(rows.parquet\)"),
        ("n" * 255, "File name too long"),
        ("checkout", r"\.checkout\.afterfit-staging' was not made by afterfit"),
        ("link beside", r"\.link beside\.afterfit-lock' was not made by afterfit"),
    ],
)
def test_an_output_that_is_no_place_for_scores_is_refused_before_anything_is_scored(
    champion, rows, tmp_path, scored, output, words
):
    (tmp_path / "in").mkdir()
    pq.write_table(rows(5), tmp_path / "in" / "rows.parquet")
    (tmp_path / "mine").mkdir()
    (tmp_path / ".checkout.afterfit-staging" / ".git").mkdir(parents=True)
    (tmp_path / ".link beside.afterfit-lock").symlink_to("file")
    for name in ("file", "mine/thesis.txt"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
    for link, target in {"link to file": "file", "link to in": "in", "loop": "loop"}.items():
        (tmp_path / link).symlink_to(target)
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RequestError, match=words):
        score_batch(
            champion, str(tmp_path / "in" / "rows.parquet"), str(tmp_path / output), replace=True
        )
    assert scored == []
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("link", "real"),
        ("link to nothing yet", "later"),
        ("sub/../out", "out"),
        ("link above/out", "real/out"),
        ("new/folders/out/", "new/folders/out"),
        ("🌧 \u202eשלם\nscores", "🌧 \u202eשלם\nscores"),
    ],
)
def test_an_output_behind_links_and_dots_is_the_folder_they_lead_to(
    champion, rows, laws, tmp_path, output, found
):
    """Links stay links; the scores, their lock and their staging are beside what they lead to."""
    (tmp_path / "real").mkdir()
    for link, target in {
        "link": "real",
        "link above": "real",
        "link to nothing yet": "later",
    }.items():
        (tmp_path / link).symlink_to(target)
    pq.write_table(rows(5), tmp_path / "rows.parquet")
    done = score_batch(champion, str(tmp_path / "rows.parquet"), f"{tmp_path}/{output}")
    assert done.output == f"{tmp_path}/{found}"
    laws.alone(tmp_path / found, np.arange(5))
    assert (tmp_path / "link").is_symlink()


def test_a_link_that_is_swapped_under_a_run_does_not_divert_it(
    champion, rows, laws, tmp_path, monkeypatch
):
    """The output is what the link led to at the start; what it leads to now is not touched."""
    for name in ("one", "two"):
        pq.write_table(rows(5, first_id=len(name)), tmp_path / "rows.parquet")
        score_batch(champion, str(tmp_path / "rows.parquet"), str(tmp_path / name))
    laws.remember(tmp_path / "two")
    link = tmp_path / "link"
    link.symlink_to("one")

    def swap_first(*arguments):
        link.unlink()
        link.symlink_to("two")
        return score_piece(*arguments)

    monkeypatch.setattr("tasks.score.score_piece", swap_first)
    pq.write_table(rows(7), tmp_path / "rows.parquet")
    done = score_batch(champion, str(tmp_path / "rows.parquet"), str(link), replace=True)
    assert done.output == str(tmp_path / "one")
    laws.alone(tmp_path / "one", np.arange(7))
    laws.unchanged(tmp_path / "two")

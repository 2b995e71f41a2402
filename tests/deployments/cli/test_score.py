"""The commands that score, as a person or a script starts them, against real servers."""

import json

import pyarrow.parquet as pq
import pytest

BAD_ROW = "id,size,region,always\n1,0.5,north,yes\n2,huge,north,yes\n"
OUTPUT = "scoring.output=out/{window:%Y-%m-%d}"
BACKFILL = ("backfill", "sales.yaml", "--set", "scoring.window=1d", "--set", OUTPUT)
DATED = (*BACKFILL, "--set", "scoring.source={window:%Y-%m-%d}.csv")
FIRST_DAYS = ("--from", "2026-01-01", "--to", "2026-01-03")
NEXT_DAYS = ("--from", "2026-01-02", "--to", "2026-01-04")
LATER_DAY = ("--from", "2026-01-05", "--to", "2026-01-06")


def test_an_output_verifies_until_a_byte_of_it_changes(trained, tmp_path, afterfit, answer_of):
    """After that `ok` is false, the part is named, and the status is 1."""
    output = tmp_path / "out"
    document = answer_of("score", "cli-sales/1", "sales.csv", output, cwd=trained.folder)
    assert document["model"] == "cli-sales"
    assert document["version"] == 1
    assert document["output"] == str(output)
    assert document["rows_in"] == 200
    assert document["rows_scored"] == 200
    assert document["rows_quarantined"] == 0
    assert list(tmp_path.iterdir()) == [output]
    assert answer_of("verify", output) == {"ok": True, "problems": []}

    part = next(output.glob("part-*.parquet"))
    content = part.read_bytes()
    part.write_bytes(content[:-1] + b"?")
    damaged = afterfit("verify", "out", "--json", cwd=tmp_path)
    assert damaged.returncode == 1
    assert damaged.stderr == ""
    problem = f"{part.name}: its content has changed"
    assert json.loads(damaged.stdout) == {"ok": False, "problems": [problem]}


@pytest.mark.usefixtures("trained")
def test_rows_that_cannot_be_scored_go_to_quarantine_where_some_may(
    tmp_path, afterfit, answer_of, assert_one_sentence
):
    """With a budget the run commits, counts them, and keeps them with the reason."""
    (tmp_path / "bad.csv").write_text(BAD_ROW, encoding="utf-8")
    score = ("score", "cli-sales/1", "bad.csv")
    refused = afterfit(*score, "out", "--json", cwd=tmp_path)
    words = "1 row cannot be scored, 0 may be: nothing was committed. The first is row 1 (from 0)"
    assert_one_sentence(refused, 1, f"{words} of ")

    document = answer_of(*score, "out", "--max-bad-rows", "0.5", cwd=tmp_path)
    assert document["rows_in"] == 2
    assert document["rows_scored"] == 1
    assert document["rows_quarantined"] == 1
    verified = answer_of("verify", "out", cwd=tmp_path)
    assert verified["ok"] is True

    (part,) = (tmp_path / "out" / "_quarantine").iterdir()
    (kept,) = pq.read_table(part).to_pylist()
    assert kept["id"] == "2"
    assert kept["reason"] == "value_of_another_type"
    assert kept["input_row"] == 1

    told = afterfit(*score, "told", "--max-bad-rows", "1", cwd=tmp_path)
    assert "scored 1 row into " in told.stdout
    assert "and put 1 row into its _quarantine" in told.stdout
    (note,) = [note for note in document["notes"] if "1 row scored by" in note]
    assert f"  {note}\n" in told.stdout


@pytest.mark.usefixtures("trained")
def test_a_backfill_answers_window_by_window_and_fails_where_one_fails(
    tmp_path, write_sales, afterfit, answer_of
):
    """A dry run writes nothing, a real one scores each window once, and a window fails alone."""
    write_sales(tmp_path)
    dry = answer_of(*BACKFILL, *FIRST_DAYS, "--dry-run", cwd=tmp_path)
    assert [window["status"] for window in dry["windows"]] == ["missing", "missing"]
    assert [window["due"] for window in dry["windows"]] == [True, True]
    assert [window["scores"] for window in dry["windows"]] == [None, None]
    assert not (tmp_path / "out").exists()

    done = answer_of(*BACKFILL, *FIRST_DAYS, cwd=tmp_path)
    assert [window["scores"]["rows_scored"] for window in done["windows"]] == [200, 200]

    content = (tmp_path / "sales.csv").read_bytes()
    (tmp_path / "2026-01-03.csv").write_bytes(content)
    failed = answer_of(*DATED, *NEXT_DAYS, "--only", "all", exit_status=1, cwd=tmp_path)
    first, second = failed["windows"]
    assert first["error"] is not None
    assert second["error"] is None

    told = afterfit(*DATED, *NEXT_DAYS, "--dry-run", cwd=tmp_path)
    assert told.returncode == 0
    assert "2026-01-02T00:00Z/2026-01-03T00:00Z  current" in told.stdout

    later = afterfit(*DATED, *LATER_DAY, "--dry-run", cwd=tmp_path)
    assert "missing  no scores yet, and nothing to read at" in later.stdout

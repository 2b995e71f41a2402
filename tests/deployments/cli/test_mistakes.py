"""Mistakes at the command line: one sentence, the right exit status, and nothing left behind."""

import os

import pytest

from tasks.registry import versions

NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens there
DAYS = ("--from", "2026-01-01", "--to", "2026-01-03")
OUTPUT = "scoring.output=out/{window:%Y-%m-%d}"
WINDOWED = ("sales.yaml", "--set", "scoring.window=1d", "--set", OUTPUT)
ONE_CLASS = (
    "problem=classification",
    "data.drop=[]",
    "data.target=always",
    "candidates=[{estimator: sklearn.linear_model.LogisticRegression}]",
)


def train(*fields):
    """Return the arguments that train the spec with some fields changed."""
    arguments = ["train", "sales.yaml", "--set", "name=cli-mistake"]
    for field in fields:
        arguments += ["--set", field]
    return arguments


def score(model, source="sales.csv", output="out", *options):
    """Return the arguments that score a table."""
    return ("score", model, source, output, *options)


def backfill(start, end):
    """Return the arguments that score the windows of a stretch of time."""
    return ("backfill", *WINDOWED, "--from", start, "--to", end)


# What is wrong -> the arguments, and words of the sentence.
MISTAKES = {
    "missing spec": (("run", "missing.yaml"), "There is no spec missing.yaml"),
    "spec that is no YAML": (("run", "broken.yaml"), "cannot be read as YAML"),
    "typo in the spec": (
        train("data.tarrget=amount"),
        "data.tarrget is not a field of the spec: known here are",
    ),
    "value out of range": (train("gates.champion.margin=-1"), "gates.champion.margin is -1"),
    "unknown estimator": (
        train("candidates.0.estimator=sklearn.linear_model.Rigde"),
        "did you mean sklearn.linear_model.Ridge or sklearn.linear_model.RidgeCV?\n",
    ),
    "missing data file": (train("data.source=missing.csv"), "missing.csv"),
    "unknown column": (train("data.segment=regoin"), "did you mean 'region'?"),
    "target with one class": (train(*ONE_CLASS), "'always' has one class only ('yes')"),
    "table with a header only": (train("data.source=header.csv"), "has 0 rows"),
    "empty table": (train("data.source=empty.csv"), "empty.csv"),
    "unknown model": (score("nobody"), "model 'nobody'; registered are"),
    "unknown alias": (score("cli-sales@best"), "There is no alias 'best' of a model"),
    "unknown version": (score("cli-sales/99"), "There is no version 99 of 'cli-sales'"),
    "budget below zero": (
        score("cli-sales", "sales.csv", "out", "--max-bad-rows", "-1"),
        "max_bad_rows is -1",
    ),
    "budget that is neither": (
        score("cli-sales", "sales.csv", "o", "--max-bad-rows", "1.5"),
        "a whole number",
    ),
    "no windows": (
        ("backfill", "sales.yaml", *DAYS),
        "has no windows: give scoring.window a length",
    ),
    "window that ends first": (backfill("2026-01-02", "2026-01-01"), "--from"),
    "window off the grid": (backfill("2026-01-01T05:00", "2026-01-03"), "--from"),
    "run with windows": (
        ("run", *WINDOWED),
        "use `afterfit train SPEC`, and then `afterfit backfill SPEC",
    ),
    "foreign folder": (
        score("cli-sales", "sales.csv", "foreign"),
        "holds files that are no scores of afterfit",
    ),
    "output below a file": (
        score("cli-sales", "sales.csv", "sales.csv/out"),
        "cannot be written to",
    ),
    "folder without manifest": (("verify", "foreign"), "it has no _manifest.json"),
    "unknown option": (("run", "sales.yaml", "--jsn"), "--jsn. Did you mean --json?"),
    "unknown command": (("trian",), 'Unknown command "trian". Did you mean "train"?'),
    "missing argument": (("score", "cli-sales"), "requires an argument"),
}


def paths_in(folder):
    """List everything below a folder, hidden or not, with the content of the files."""
    contents = {}
    for path in folder.rglob("*"):
        contents[path] = path.read_bytes() if path.is_file() else None
    return contents


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_sentence_and_leaves_nothing_behind(
    tmp_path, mistake, write_sales, afterfit, assert_one_sentence
):
    """A wrong request ends with 2 and one line on standard error; nothing is registered."""
    arguments, words = MISTAKES[mistake]
    write_sales(tmp_path)
    (tmp_path / "broken.yaml").write_text("name: [", encoding="utf-8")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "notes.txt").write_text("mine", encoding="utf-8")
    models = versions.list_models()
    paths = paths_in(tmp_path)

    done = afterfit(*arguments, "--json", cwd=tmp_path)
    assert_one_sentence(done, 2, words)
    assert versions.list_models() == models
    assert paths_in(tmp_path) == paths


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
@pytest.mark.usefixtures("trained")
def test_an_output_in_a_read_only_folder_is_refused(
    tmp_path, write_sales, afterfit, assert_one_sentence
):
    """An output that cannot be written is refused, and nothing is left in the folder."""
    write_sales(tmp_path)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = afterfit("score", "cli-sales", "sales.csv", "locked/out", cwd=tmp_path)
    assert_one_sentence(done, 2, "locked cannot be written to")
    assert list(locked.iterdir()) == []


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize(
    ("variable", "path"), [("PREFECT_API_URL", "/api"), ("MLFLOW_TRACKING_URI", "")]
)
def test_a_server_that_does_not_answer_is_named(
    tmp_path, variable, path, write_sales, afterfit, assert_one_sentence
):
    """A named server that is gone ends a command with 1, its address and where that was found."""
    write_sales(tmp_path)
    paths = paths_in(tmp_path)
    url = f"{NOWHERE}{path}"
    done = afterfit("run", "sales.yaml", cwd=tmp_path, **{variable: url})
    assert_one_sentence(done, 1, f"at {url}, named by {variable}, does not answer")
    assert paths_in(tmp_path) == paths

"""Secrets in URLs: found again nowhere, after commands that were given them in every form."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deployments.cli.exit_status import run_command

PLANTED = "hunter2planted"
FORMS = [
    f"s3://key:{PLANTED}@bucket/in/*.csv",
    f"s3://AKIA:se/{PLANTED}@bucket/in",
    f"s3://key%3A{PLANTED}%40bucket/in",
    f"s3%3A%2F%2Fkey%3A{PLANTED}%40bucket%2Fin",
    f"simplecache::s3://key:{PLANTED}@bucket/x.csv",
    f"zip://a.csv::https://ann:{PLANTED}@127.0.0.1:9/x.zip",
    f"zip://a.csv::https://127.0.0.1:9/x.zip?sv=2024&sig={PLANTED}",
    f"https://127.0.0.1:9/x.csv?X-Amz-Expires=9&X-Amz-Signature={PLANTED}",
    f"https://127.0.0.1:9/x.csv#token={PLANTED}",
    f"https://{PLANTED}@127.0.0.1:9/x.csv",
    f"https://ann:p@s/{PLANTED}@127.0.0.1:9/x.csv",
    f"memory://key:se cret {PLANTED}@bucket/x.csv",
]
COMMANDS = {
    "source": lambda url: ["score", "cli-sales", url, "out"],
    "output": lambda url: ["score", "cli-sales", "sales.csv", url],
    "model": lambda url: ["score", url, "sales.csv", "out"],
    "cluster": lambda url: ["score", "cli-sales", "sales.csv", "out", "--cluster", url],
    "spec": lambda url: ["run", url],
    "field": lambda url: ["run", "sales.yaml", "--set", f"data.source={url}"],
    "spec's source": lambda _: ["run", "planted.yaml"],
    "spec's output": lambda _: ["train", "planted.yaml", "--verbose"],
    "table": lambda url: ["init", url, "--target", "x"],
    "verified": lambda url: ["verify", url, "--json"],
    "promoted": lambda url: ["promote", url, "1"],
}


def files_with(secret, *folders):
    """List the files below folders, databases, logs and artifacts among them, that hold a text."""
    paths = [path for folder in folders for path in Path(folder).rglob("*") if path.is_file()]
    return [path for path in paths if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize("where", COMMANDS)
def test_a_secret_in_a_url_is_refused_before_anything_knows_it(
    trained, where, tmp_path, monkeypatch, capsys, write_sales
):
    """In one sentence that says where credentials belong; twelve forms, wherever they stand."""
    spec = write_sales(tmp_path).read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for url in FORMS:
        field = "output" if where == "spec's output" else "source"
        planted = spec.replace("source: sales.csv", f"source: {url!r}")
        if field == "output":
            planted = f"{spec}scoring:\n  output: {url!r}\n"
        (tmp_path / "planted.yaml").write_text(planted, encoding="utf-8")

        assert run_command(COMMANDS[where](url)) == 2
        shown = capsys.readouterr()
        assert shown.err.startswith("afterfit: ")
        assert "credentials belong in the environment" in shown.err
        assert PLANTED not in shown.out + shown.err

    (tmp_path / "planted.yaml").unlink()
    assert files_with(PLANTED, os.environ["AFTERFIT_HOME"], tmp_path, trained.folder) == []


def test_a_name_that_is_no_text_is_refused(capsys):
    assert run_command(["score", "cli-sales", "sales.csv", "out\udcff"]) == 2
    assert capsys.readouterr().err == (
        "afterfit: 'out\\udcff' is not UTF-8, as names must be here: rename it.\n"
    )


def test_a_password_in_the_address_of_mlflow_is_shown_and_stored_nowhere(
    trained, afterfit, tmp_path
):
    """The command works as before: user and password go to MLflow's client by themselves."""
    parts = urlsplit(trained.servers.mlflow_url)
    named = f"http://ann:{PLANTED}@{parts.netloc}"
    score = ("score", "cli-sales", trained.folder / "sales.csv", "out", "--verbose")
    done = afterfit(*score, cwd=tmp_path, MLFLOW_TRACKING_URI=named)
    assert done.returncode == 0, done.stderr
    assert f"MLflow   {trained.servers.mlflow_url}" in done.stdout
    assert PLANTED not in done.stdout + done.stderr
    assert files_with(PLANTED, os.environ["AFTERFIT_HOME"], tmp_path) == []


def test_a_server_of_mlflow_that_is_gone_is_named_without_its_password(servers, afterfit, tmp_path):
    named = f"http://ann:{PLANTED}@127.0.0.1:9"
    done = afterfit("models", cwd=tmp_path, MLFLOW_TRACKING_URI=named)
    assert done.returncode == 1
    assert "MLflow at http://127.0.0.1:9, named by MLFLOW_TRACKING_URI" in done.stderr
    assert PLANTED not in done.stdout + done.stderr

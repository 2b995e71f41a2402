"""The commands that train, as a person or a script starts them, against real servers."""

import yaml

TRAIN = {"model", "version", "alias", "promoted", "model_reused", "verdict", "failed", "notes"}


def test_run_answers_with_the_training_the_scores_and_the_page_of_its_flow_run(trained):
    document = trained.answer
    assert document.keys() == TRAIN | {"scores", "flow_run_url"}
    assert document["model"] == "cli-sales"
    assert document["version"] == 1
    assert document["alias"] == "champion"
    assert document["promoted"] is True
    assert document["model_reused"] is False
    assert document["verdict"]["passed"] is True

    scores = document["scores"]
    assert scores["rows_in"] == 200
    assert scores["reused"] is False
    assert scores["output"] == str(trained.folder / "scores")

    page = f"{trained.servers.prefect_ui_url}/flow-runs/flow-run/"
    assert document["flow_run_url"].startswith(page)


def test_a_person_reads_a_short_summary_with_both_urls_and_no_logs(trained, afterfit):
    """Without --json, standard output is a few lines, and standard error is empty."""
    done = afterfit("run", "sales.yaml", cwd=trained.folder)
    assert done.returncode == 0
    assert done.stderr == ""
    assert trained.stderr == ""

    first, *lines, prefect, mlflow = done.stdout.splitlines()
    assert first.startswith("cli-sales version 1 passed its gates")
    assert any(line.startswith("cli-sales version 1 scored 200 rows into ") for line in lines)
    assert len(lines) < 7

    page = f"{trained.servers.prefect_ui_url}/flow-runs/flow-run/"
    assert prefect.startswith(f"Prefect  {page}")
    assert mlflow == f"MLflow   {trained.servers.mlflow_url}"


def test_init_writes_a_spec_once(tmp_path, write_sales, afterfit, answer_of):
    """A first spec lands beside the table, with the roles it guessed; it is never overwritten."""
    path = write_sales(tmp_path)
    path.unlink()
    document = answer_of("init", "sales.csv", "--target", "amount", cwd=tmp_path)
    assert document == {"spec": str(path), "notes": []}

    written = path.read_text(encoding="utf-8")
    assert yaml.safe_load(written)["data"] == {
        "source": "sales.csv",
        "target": "amount",
        "id": "id",
        "drop": [],
    }

    again = afterfit("init", "sales.csv", "--target", "amount", cwd=tmp_path)
    assert again.returncode == 2
    assert again.stdout == ""
    assert path.read_text(encoding="utf-8") == written

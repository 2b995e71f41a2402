"""The main job against real servers."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from flows.lifecycle import register_model, run_lifecycle, train_model
from flows.release import promote_version, rollback_version
from flows.scoring import score_batch
from tasks.core.errors import GateError, RequestError
from tasks.core.model.open import open_metadata
from tasks.core.model.skops_file import load_pipeline
from tasks.core.output.manifest import read_manifest
from tasks.core.output.reading import read_scores
from tasks.core.output.verify import verify_output
from tasks.core.spec.file import load_spec
from tasks.core.tables.csv_copy import copy_csv
from tasks.core.tables.csv_files import read_csv
from tasks.core.tables.frames import to_frame
from tasks.core.tables.listing import list_source
from tasks.registry import aliases, versions
from tasks.registry.client import connect
from tasks.registry.files import fetch
from tasks.runner.make import make_runner

pytestmark = pytest.mark.usefixtures("servers")
DUMMY = "candidates=[{estimator: sklearn.dummy.DummyRegressor}]"


def test_a_run_trains_registers_promotes_and_scores_every_row(sales):
    """One run ends with a champion and a verified output that holds each id once, in order."""
    spec = load_spec(sales)
    done = run_lifecycle(spec)
    assert (done.trained.version, done.trained.alias, done.trained.promoted) == (
        1,
        "champion",
        True,
    )
    assert (done.scores.rows_in, done.scores.rows_scored, done.scores.rows_quarantined) == (
        400,
        400,
        0,
    )
    scores = read_scores(spec.scoring.output)
    assert scores["id"].to_pylist() == [f"{number:04d}" for number in range(400)]
    assert scores.column_names == ["id", "prediction", "model_version"]
    assert verify_output(Path(spec.scoring.output)) == []
    assert "/flow-runs/flow-run/" in done.flow_run_url


def test_the_same_run_again_does_nothing_and_says_so(sales):
    """An unchanged spec on unchanged data reuses the version and the scores.

    `--retrain` makes a new version.
    """
    spec = load_spec(sales)
    first, manifest = run_lifecycle(spec), None
    manifest = (Path(spec.scoring.output) / "_manifest.json").read_bytes()
    again = run_lifecycle(spec)
    assert (again.trained.version, again.trained.model_reused, again.trained.promoted) == (
        1,
        True,
        False,
    )
    assert (again.scores.reused, again.scores.rows_reused, again.scores.run_key) == (
        True,
        400,
        first.scores.run_key,
    )
    assert (Path(spec.scoring.output) / "_manifest.json").read_bytes() == manifest
    assert train_model(spec, retrain=True).version == 2


def test_a_refused_challenger_stays_a_challenger_and_scoring_goes_on_with_the_champion(sales):
    """After a good champion, a model that guesses is registered, refused, and never scores."""
    run_lifecycle(load_spec(sales))
    refused = run_lifecycle(load_spec(sales, [DUMMY]))
    assert not refused.trained.verdict.passed
    assert (refused.trained.version, refused.trained.alias, refused.trained.champion) == (
        2,
        "challenger",
        1,
    )
    assert refused.scores.version == 1
    aliases = {model.name: model.aliases for model in versions.list_models()}[refused.trained.model]
    assert aliases == {"champion": 1, "challenger": 2}
    with pytest.raises(GateError, match="add --force"):
        promote_version(refused.trained.model, 2)


def test_promote_and_rollback_move_the_aliases(sales):
    """A forced promotion can be taken back, and taking it back twice undoes itself."""
    name = run_lifecycle(load_spec(sales)).trained.model
    train_model(load_spec(sales, [DUMMY]))
    assert promote_version(name, 2, force=True) == 1
    assert rollback_version(name) == (1, 2)
    assert rollback_version(name) == (2, 1)
    assert versions.find_alias(name).version == 2


def test_a_rolled_back_version_is_not_promoted_again_by_the_next_run(sales):
    """The schedule must not undo what a person did: reuse never promotes twice."""
    name = run_lifecycle(load_spec(sales)).trained.model
    better = load_spec(sales, ["gates.champion.margin=5"])
    assert train_model(better).version == 2
    assert rollback_version(name) == (1, 2)
    again = train_model(better)
    assert (again.version, again.model_reused, again.promoted, again.champion) == (
        2,
        True,
        False,
        1,
    )


def test_a_refusal_is_judged_anew_when_another_champion_is_in_use(sales):
    """What was refused against a champion that is gone says nothing about today's."""
    name = run_lifecycle(load_spec(sales)).trained.model
    refused = load_spec(sales, [DUMMY])
    assert train_model(refused).alias == "challenger"
    train_model(load_spec(sales, ["gates.champion.margin=5"]))
    again = train_model(refused)
    assert (again.version, again.model_reused, again.verdict.passed, again.champion) == (
        4,
        False,
        False,
        3,
    )
    assert promote_version(name, 4, force=True) == 3
    assert train_model(refused).alias == "champion"


def test_a_run_that_died_between_the_alias_and_its_record_is_not_trained_again(sales):
    """A champion without the record of its promotion is the champion all the same."""
    spec = load_spec(sales)
    name = train_model(spec).model
    connect().delete_model_version_tag(name, "1", "promoted")
    again = train_model(spec)
    assert (again.version, again.model_reused, again.alias) == (1, True, "champion")
    assert versions.find_alias(name).promoted


def test_other_scoring_options_are_another_run(sales):
    """Columns that the spec now keeps are in the scores, though the version is the same."""
    assert run_lifecycle(load_spec(sales)).trained.version == 1
    done = run_lifecycle(load_spec(sales, ["scoring.keep=[day]"]))
    assert (done.trained.version, done.trained.model_reused, done.scores.reused) == (1, True, False)
    assert read_scores(done.scores.output).column_names == [
        "id",
        "day",
        "prediction",
        "model_version",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("scoring.source=nope.csv", "nothing to read"),
        ("scoring.output=sales.csv", "is a file"),
        ("scoring.keep=[colour]", "column 'colour' is missing"),
        (
            "candidates=[{estimator: sklearn.linear_model.Ridge, params: {alpha: -1}}]",
            "Ridge cannot be fitted",
        ),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_registered(sales, change, words):
    """Nothing goes live for a spec that cannot be carried through."""
    spec = load_spec(sales, [change])
    with pytest.raises(RequestError, match=words):
        run_lifecycle(spec)
    assert spec.name not in {model.name for model in versions.list_models()}


def test_files_whose_ids_have_different_types_are_refused(sales, tmp_path):
    """Their parts would not be one table: the run is refused before the first row is scored."""
    spec = load_spec(sales)
    name = train_model(spec).model
    table = read_csv(list_source(spec.data.source).files[0], as_text=("id",))
    (tmp_path / "two").mkdir()
    numbers = table.set_column(0, "id", pc.cast(table["id"], "int32"))
    for number, part in enumerate([table, numbers]):
        pq.write_table(part, tmp_path / "two" / f"{number}.parquet")
    with pytest.raises(RequestError, match=r"column 'id' is int32, in .*0\.parquet it is string"):
        score_batch(name, str(tmp_path / "two"), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("workers", "cluster"), [(0, None), (-1, None), (None, "10.0.0.5:8786"), (2, "tcp://h:1")]
)
def test_workers_and_cluster_that_cannot_be_are_refused(workers, cluster):
    """No task is left waiting for a worker that never comes."""
    with pytest.raises(RequestError, match=r"workers is|cluster is"):
        make_runner(workers, cluster)


def test_a_run_that_died_before_its_promotion_is_finished_by_the_next(sales, monkeypatch):
    """The same command again promotes a version that passed, and does not train it again."""
    monkeypatch.setattr(aliases, "promote", lambda *_: (_ for _ in ()).throw(OSError("killed")))
    with pytest.raises(OSError, match="killed"):
        train_model(load_spec(sales))
    monkeypatch.undo()
    trained = train_model(load_spec(sales))
    assert (trained.version, trained.alias, trained.promoted, trained.model_reused) == (
        1,
        "champion",
        True,
        True,
    )


def test_scores_equal_those_of_the_pipeline_in_memory_to_the_last_bit(sales, tmp_path):
    """The registered version, in a flow, predicts what the same pipeline predicts in memory.

    They are compared row by row, on the same piece.
    """
    spec = load_spec(sales)
    trained = train_model(spec)
    version = versions.resolve(f"{trained.model}/{trained.version}")
    fetched = fetch(version)
    folder = Path(fetched.folder)
    score_batch(trained.model, spec.data.source, str(tmp_path / "out"))
    features = open_metadata(fetched).features
    copied = copy_csv(
        list_source(spec.data.source).files[0], features, tmp_path / "copy.parquet", 1000
    )
    expected = load_pipeline(folder / "model.skops").predict(
        to_frame(pq.read_table(copied), features)
    )
    assert np.array_equal(read_scores(tmp_path / "out")["prediction"].to_numpy(), expected)


def test_every_task_runs_on_fresh_worker_processes_from_another_directory(
    sales, tmp_path, monkeypatch
):
    """Nothing on a worker depends on the current directory.

    Not even a stranger's `tasks.py` in it matters.
    """
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "tasks.py").write_text("raise RuntimeError('a stranger')", encoding="utf-8")
    monkeypatch.chdir(elsewhere)
    spec = load_spec(sales)
    done = run_lifecycle(spec, workers=2)
    assert done.trained.promoted
    assert done.scores.rows_scored == 400


def test_other_scores_are_replaced_only_when_asked(sales, tmp_path):
    """An output of another run is refused, or swapped with `replace`.

    Either way one of them is there, whole.
    """
    spec = load_spec(sales)
    name = train_model(spec).model
    output = str(tmp_path / "out")
    score_batch(name, spec.data.source, output)
    train_model(load_spec(sales, ["gates.champion.margin=5"]))
    with pytest.raises(RequestError, match="add --replace"):
        score_batch(name, spec.data.source, output)
    assert read_manifest(Path(output)).version == 1
    assert score_batch(name, spec.data.source, output, replace=True).version == 2
    assert set(read_scores(output)["model_version"].to_pylist()) == {2}
    assert sorted(path.name for path in tmp_path.glob(".out*")) == []


def test_a_model_fitted_elsewhere_goes_through_the_same_gates(sales, tmp_path):
    """A skops file is measured, judged and registered.

    What is no skops file is refused in a sentence.
    """
    spec = load_spec(sales)
    trained = train_model(spec)
    model = Path(fetch(versions.resolve(trained.model)).folder) / "model.skops"
    again = register_model(str(model), spec)
    assert (again.version, again.verdict.passed) == (2, True)
    assert register_model(str(model), spec).model_reused
    with pytest.raises(RequestError, match="There is no file"):
        register_model(str(tmp_path / "nope.skops"), spec)
    (tmp_path / "bad.skops").write_bytes(b"no zip")
    with pytest.raises(RequestError, match="not a skops file"):
        register_model(str(tmp_path / "bad.skops"), spec)


def test_a_changed_model_file_is_refused(sales, tmp_path):
    """A damaged copy is fetched again.

    A version whose files are not those that were registered never scores.
    """
    spec = load_spec(sales)
    name = train_model(spec).model
    version = fetch(versions.resolve(name))
    (Path(version.folder) / "model.skops").write_bytes(b"damaged")
    assert score_batch(name, spec.data.source, str(tmp_path / "out")).rows_scored == 400
    connect().set_model_version_tag(name, "1", "digest", "0" * 64)
    with pytest.raises(RequestError, match="not those that were registered"):
        score_batch(name, spec.data.source, str(tmp_path / "other"))


def test_bike_sharing_trains_and_scores_all_rows(bike):
    """On real data split by time, the best of three beats the mean by far.

    It scores all 17,379 rows.
    """
    path = bike / "bike.yaml"
    path.write_text(
        """
name: bike-demand
problem: regression
data: {source: hour.csv, target: cnt, id: instant, time: dteday, segment: season,
  drop: [casual, registered]}
candidates:
  - estimator: sklearn.ensemble.HistGradientBoostingRegressor
  - {estimator: sklearn.ensemble.RandomForestRegressor, params: {n_estimators: 30}}
  - estimator: sklearn.linear_model.Ridge
gates: {limits: {mae: {max: 60}}}
""",
        encoding="utf-8",
    )
    spec = load_spec(path)
    done = run_lifecycle(spec)
    assert done.trained.promoted
    assert done.scores.rows_scored == 17_379
    scores = read_scores(spec.scoring.output)
    truth = read_csv(list_source(spec.data.source).files[0], as_text=("instant",))
    assert scores["instant"].to_pylist() == truth["instant"].to_pylist()
    newest = pc.greater_equal(
        truth["dteday"],
        pc.quantile(truth["dteday"].cast("int32"), 0.8)[0].cast("int32").cast("date32"),
    )
    y, predicted = (
        column.filter(newest).to_numpy() for column in (truth["cnt"], scores["prediction"])
    )
    mean = truth["cnt"].filter(pc.invert(newest)).to_numpy().mean()
    assert np.abs(y - predicted).mean() < 0.33 * np.abs(y - mean).mean()

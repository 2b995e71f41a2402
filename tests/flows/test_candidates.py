"""Candidates that fail, and trainings that are refused before anything is fitted."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.lifecycle import run_lifecycle, train_model
from tasks.core.errors import AfterfitError, RequestError
from tasks.core.output.reading import read_scores
from tasks.core.spec.file import load_spec
from tasks.core.tables.csv_files import read_csv
from tasks.core.tables.listing import list_source
from tasks.registry import versions

pytestmark = pytest.mark.usefixtures("servers")
RIDGE = "{estimator: sklearn.linear_model.Ridge}"
NEIGHBORS = "{estimator: sklearn.neighbors.KNeighborsRegressor, params: {p: 3}}"
NEGATIVE = "{estimator: sklearn.linear_model.Ridge, params: {alpha: -1}}"
TOO_LARGE = (
    "{estimator: sklearn.neural_network.MLPRegressor, "
    "params: {hidden_layer_sizes: [1, 1000000000000000]}}"
)


def test_a_candidate_that_fails_is_recorded_and_the_others_go_on(sales):
    """One cannot be stored, one cannot be fitted, one needs petabytes: the last one is promoted."""
    candidates = f"candidates=[{NEIGHBORS}, {NEGATIVE}, {TOO_LARGE}, {RIDGE}]"
    trained = train_model(load_spec(sales, [candidates]))
    assert (trained.version, trained.promoted) == (1, True)
    stored, fitted, large = trained.failed
    assert stored.reason.startswith("KNeighborsRegressor cannot be stored as its parameters are: ")
    assert fitted.reason.startswith("Ridge cannot be fitted: The 'alpha' parameter of Ridge")
    assert large.reason.startswith("MLPRegressor failed: ")
    assert "MemoryError" in large.reason


@pytest.mark.parametrize(
    ("candidates", "error", "words"),
    [
        ([NEGATIVE, NEIGHBORS], RequestError, "Ridge cannot be fitted: .* KNeighborsRegressor can"),
        ([TOO_LARGE, NEGATIVE], AfterfitError, "MLPRegressor failed: .* Ridge cannot be fitted"),
    ],
)
def test_a_training_without_a_candidate_left_says_why_of_each(sales, candidates, error, words):
    spec = load_spec(sales, [f"candidates=[{', '.join(candidates)}]"])
    with pytest.raises(AfterfitError, match=words) as failed:
        train_model(spec)
    assert type(failed.value) is error
    assert spec.name not in {model.name for model in versions.list_models()}


def without(table, tmp_path, *names):
    pq.write_table(table.drop_columns(list(names)), tmp_path / "scored.parquet")
    return "scoring.source=scored.parquet"


@pytest.mark.parametrize(
    ("lost", "change", "words"),
    [
        ("size", "scoring.proba=false", "column 'size' is missing"),
        ("id", "scoring.proba=false", "column 'id' is missing"),
        ("amount", "scoring.output=/proc/scores", "/proc cannot be written to"),
        ("amount", "gates.leaks=[colour]", r"gates\.leaks: column 'colour' is no feature"),
        (
            "amount",
            "candidates.0.params.monotonic_cst={region: 1}",
            "'monotonic_cst' names 'region', which holds no numbers",
        ),
    ],
)
def test_what_can_be_refused_before_training_is(sales, tmp_path, monkeypatch, lost, change, words):
    def never(*_):
        raise AssertionError("it was fitted")

    monkeypatch.setattr("tasks.fit.check_storable", never)
    table = read_csv(list_source(str(tmp_path / "sales.csv")).files[0], as_text=("id",))
    spec = load_spec(sales, [without(table, tmp_path, lost), change])
    with pytest.raises(RequestError, match=words):
        run_lifecycle(spec)


def test_files_that_hold_strings_in_two_types_are_scored_into_one_table(sales, tmp_path):
    table = read_csv(list_source(str(tmp_path / "sales.csv")).files[0], as_text=("id",))
    half = len(table) // 2
    (tmp_path / "in").mkdir()
    pq.write_table(table.slice(0, half), tmp_path / "in" / "1.parquet")
    later = table.slice(half).cast(
        pa.schema(
            [
                (field.name, pa.large_string() if field.type == pa.string() else field.type)
                for field in table.schema
            ]
        )
    )
    pq.write_table(later, tmp_path / "in" / "2.parquet")
    done = run_lifecycle(load_spec(sales, ["scoring.source=in", "scoring.keep=[region]"]))
    scores = read_scores(done.scores.output)
    assert scores["id"].to_pylist() == table["id"].to_pylist()
    assert scores["region"].to_pylist() == table["region"].to_pylist()


def test_a_leak_is_refused_with_the_name_of_the_feature_until_it_is_allowed(sales, tmp_path):
    table = read_csv(list_source(str(tmp_path / "sales.csv")).files[0], as_text=("id",))
    paid = pa.array(table["amount"].to_numpy() * 1.19)
    leaking = table.append_column("paid", paid).append_column("number", pa.array(range(len(table))))
    pq.write_table(leaking, tmp_path / "leak.parquet")
    changes = ["data.source=leak.parquet", "candidates.0.params.max_iter=3"]

    refused = train_model(load_spec(sales, changes))
    assert (refused.alias, refused.promoted) == ("challenger", False)
    gates = {gate.name: gate.reason for gate in refused.verdict.gates if not gate.passed}
    assert set(gates) == {"no feature gives the target away", "no feature counts the rows"}
    assert "feature 'paid' alone predicts" in gates["no feature gives the target away"]
    assert "feature 'number' counts" in gates["no feature counts the rows"]

    allowed = train_model(load_spec(sales, [*changes, "gates.leaks=[paid, number]"]))
    assert (allowed.alias, allowed.verdict.passed) == ("champion", True)

"""The main job on a table of odd values and names, against real servers."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from flows.lifecycle import run_lifecycle, train_model
from flows.scoring import score_batch
from tasks.core.errors import RequestError
from tasks.core.output.reading import read_scores
from tasks.core.spec.file import load_spec

pytestmark = pytest.mark.usefixtures("servers")
ROWS = 120


@pytest.fixture
def write_spec(tmp_path):
    """Write a small spec with the sections that are given; return its path."""

    def write(**sections):
        document = {
            "name": tmp_path.name.replace("_", "-"),
            "problem": "regression",
            "candidates": [{"estimator": "sklearn.linear_model.Ridge"}],
            **sections,
        }
        path = tmp_path / "spec.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path

    return write


def far_dates():
    """Return dates from the year 1 on to 9999, in an order of their own."""
    years = np.random.default_rng(5).permutation(np.linspace(1, 9999, ROWS).astype(int))
    return [datetime(year, 1 + year % 12, 1, year % 24) for year in years.tolist()]  # noqa: DTZ001


def test_far_dates_train_judge_and_score_alike_from_int96_and_from_microseconds(
    tmp_path, write_spec
):
    """The id is a column without a name, and the dates split the rows and are carried along."""
    dates = far_dates()
    table = pa.table(
        {
            "": [f"c{number:03}" for number in range(ROWS)],
            "until": pa.array(dates, pa.timestamp("us")),
            "amount": [date.year / 1000 for date in dates],
        }
    )
    now, old = tmp_path / "now.parquet", tmp_path / "old.parquet"
    pq.write_table(table, now)
    pq.write_table(table, old, use_deprecated_int96_timestamps=True)

    spec = load_spec(
        write_spec(
            data={"source": str(now), "target": "amount", "id": "", "time": "until"},
            gates={"limits": {"mae": {"max": 0.1}}, "leaks": ["until"]},  # which makes it
            scoring={"output": "scores", "keep": ["until"]},
        )
    )
    done = run_lifecycle(spec)
    assert done.trained.promoted
    scores = read_scores(spec.scoring.output)
    assert scores.column_names == ["", "until", "prediction", "model_version"]
    assert scores[""].to_pylist() == table[""].to_pylist()
    assert scores["until"].to_pylist() == dates

    again = score_batch(spec.name, str(old), str(tmp_path / "again"))
    assert again.rows_scored == ROWS
    assert read_scores(tmp_path / "again").equals(scores)


def test_an_index_without_a_name_is_left_out_and_said_so(tmp_path, write_spec):
    """It stands in the order of the target; rows in another order are predicted as well."""
    rows = "".join(f"{n},{n % 7},{n}\n" for n in range(ROWS))
    (tmp_path / "plants.csv").write_text(f",leaf,height\n{rows}", encoding="utf-8")
    trained = train_model(load_spec(write_spec(data={"source": "plants.csv", "target": "height"})))

    assert trained.notes == ("column '' counts the rows: it is no feature (`data.id` may name it)",)
    assert trained.verdict.passed


def test_a_target_of_money_is_refused_before_anything_is_fitted(tmp_path, write_spec):
    rows = "".join(f'{n},{n % 7},"${1000 + n:,}.50"\n' for n in range(ROWS))
    (tmp_path / "rooms.csv").write_text(f"listing,beds,price\n{rows}", encoding="utf-8")
    spec = write_spec(
        problem="classification",
        data={"source": "rooms.csv", "target": "price"},
        candidates=[{"estimator": "sklearn.tree.DecisionTreeClassifier"}],
    )

    with pytest.raises(RequestError, match=r"text, .* money amounts, such as .*plain numbers"):
        train_model(load_spec(spec))

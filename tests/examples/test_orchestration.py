"""The examples of docs/orchestration.md: each runs as it stands, and does what the page says."""

import re
import runpy
from datetime import date
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.exceptions import ParameterTypeError
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge

HOUSE = Path(__file__).resolve().parents[2]
EXAMPLES = HOUSE / "examples" / "orchestration"
PAGE = HOUSE / "docs" / "orchestration.md"
BROKEN = Ridge(alpha=-1.0)
ALL = {"ridge": Ridge(), "mean": DummyRegressor(), "broken": BROKEN}


def load(name):
    """Return what an example defines, as a module of its own would."""
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


def test_a_run_is_about_the_window_it_is_given(servers):
    sum_sales = load("off_schedule")["sum_sales"]
    days = [date(2024, 2, 29), date(1999, 1, 1), date(2024, 2, 29)]
    assert [sum_sales(day) for day in days] == [1192, 1370, 1192]


def test_runs_that_start_at_the_same_time_are_told_apart(servers):
    score_all = load("same_time")["score_all"]
    done = score_all(["Ada", "Grace", "Ada"])
    assert [score for _, score in done] == [3, 5, 3]

    run_ids = {run_id for run_id, _ in done}
    assert len(run_ids) == 3
    with get_client(sync_client=True) as client:
        runs = [client.read_flow_run(run_id) for run_id in run_ids]
    assert all(run.state.is_completed() for run in runs)


@pytest.mark.parametrize(
    ("candidates", "needed", "outcome"),
    [
        (ALL, 0.3, "promoted ridge, 2 measured"),
        ({"ridge": Ridge()}, 0.9, "alerted: ridge is the best, and not good enough, 1 measured"),
        ({"broken": BROKEN}, 0.3, "alerted: no candidate could be measured, 0 measured"),
    ],
)
def test_results_and_failures_decide_which_branch_runs(servers, candidates, needed, outcome):
    judge = load("branching")["judge"]
    assert judge(candidates, needed) == outcome


def test_many_fast_tasks_are_mapped_and_reduced(servers):
    sum_of_squares = load("fast_tasks")["sum_of_squares"]
    assert sum_of_squares(500) == 41541750


def test_tables_and_models_go_from_task_to_task(servers):
    classify = load("data_exchange")["classify"]
    assert classify() == {0: 50, 1: 48, 2: 52}


def test_parameters_are_checked_before_anything_runs(servers):
    example = load("parameters")
    find_alpha, make_search = example["find_alpha"], example["Search"]
    assert find_alpha(make_search(folds=5)) == 0.1

    told = r"search\.folds: Input should be less than or equal to 10"
    with pytest.raises(ParameterTypeError, match=told):
        find_alpha({"folds": 11})


def test_the_data_decides_the_shape(servers):
    study_all = load("dynamic_shape")["study_all"]
    assert study_all() == {
        "setosa, petal length (cm)": 1,
        "setosa, petal width (cm)": 1,
        "versicolor, petal length (cm)": 3,
        "versicolor, petal width (cm)": 2,
        "virginica, petal length (cm)": 1,
        "virginica, petal width (cm)": 1,
    }


def test_the_page_names_every_example_once():
    page = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"\.\./examples/orchestration/(\w+)\.py\)", page)
    assert sorted(named) == sorted(path.stem for path in EXAMPLES.glob("*.py"))

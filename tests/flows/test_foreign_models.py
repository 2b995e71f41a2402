"""A model from elsewhere goes live only if it predicts here as it does by itself."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from flows.lifecycle import register_model, train_model
from flows.scoring import score_batch
from tasks.core.errors import RequestError
from tasks.core.model.skops_file import save_pipeline
from tasks.core.output.reading import read_scores
from tasks.core.spec.file import load_spec
from tasks.registry.versions import list_models

pytestmark = pytest.mark.usefixtures("servers")
ROWS = 300
CHANCE = np.random.default_rng(5)
SIZE = CHANCE.normal(size=ROWS)
PLAN = CHANCE.choice(["gold", "silver", None], ROWS).tolist()
Y = SIZE + np.array([{"gold": 2.0, "silver": -1.0, None: 9.0}[plan] for plan in PLAN])


@pytest.fixture
def spec(tmp_path):
    """Write a spec, and a table with a number, a text with gaps, and two targets."""
    labels = np.where(SIZE > 0, "yes", "no").tolist()
    columns = {"key": np.arange(ROWS), "size": SIZE, "plan": pa.array(PLAN), "y": Y, "k": labels}

    def write(target, **changes):
        table = pa.table({**columns, **changes})
        pq.write_table(table, tmp_path / "plans.parquet")
        problem, estimator = {
            "y": ("regression", "sklearn.linear_model.Ridge"),
            "k": ("classification", "sklearn.linear_model.LogisticRegression"),
        }[target]
        document = {
            "name": f"plans-{tmp_path.name[-12:].strip('-_').replace('_', '-')}",
            "problem": problem,
            "data": {
                "source": "plans.parquet",
                "target": target,
                "id": "key",
                "drop": [name for name in ("y", "k") if name != target],
            },
            "candidates": [{"estimator": estimator}],
            "gates": {"leaks": ["size"]},
        }
        path = tmp_path / "plans.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return load_spec(path)

    return write


def fit(missing):
    plan = np.array([missing if plan is None else plan for plan in PLAN], dtype=object)
    frame = pd.DataFrame({"plan": pd.Series(plan, dtype=object), "size": SIZE})
    encode = (OneHotEncoder(handle_unknown="ignore"), ["plan"])
    chosen = make_column_transformer(encode, remainder="passthrough")
    return make_pipeline(chosen, Ridge(alpha=1e-6)).fit(frame, Y), frame


def test_a_model_fitted_on_nan_scores_as_it_does_by_itself_and_one_on_none_is_refused(
    spec, tmp_path
):
    """Its columns stand in another order than in the source, too."""
    loaded = spec("y")
    model = tmp_path / "plan.skops"
    pipeline, _ = fit(None)
    save_pipeline(pipeline, model)
    words = rf"^plan.skops: column 'plan': .* on None.*: {PLAN.count(None)} of {ROWS} predictions"
    with pytest.raises(RequestError, match=words):
        register_model(str(model), loaded)
    assert loaded.name not in {listed.name for listed in list_models()}

    pipeline, frame = fit(np.nan)
    save_pipeline(pipeline, model)
    registered = register_model(str(model), loaded)
    assert (registered.version, registered.promoted) == (1, True)

    output = str(tmp_path / "out")
    score_batch(loaded.name, loaded.data.source, output)
    scores = read_scores(output)["prediction"].to_numpy()
    assert scores == pytest.approx(pipeline.predict(frame), rel=1e-12)


def test_a_champion_of_other_labels_blocks_no_successor(spec):
    assert train_model(spec("k")).promoted

    successor = train_model(spec("k", k=np.where(SIZE > 0, "ja", "nein").tolist()))
    assert (successor.version, successor.promoted, successor.champion) == (2, True, 2)
    why = "the champion cannot be compared, because it knows none of the classes of 'k'"
    reasons = [gate.reason for gate in successor.verdict.gates]
    assert f"{why}; the limits alone judge" in reasons

"""The main job on sales in folders of their region and month, as pandas writes them."""

import numpy as np
import pandas as pd
import pytest

from flows.lifecycle import run_lifecycle, train_model
from tasks.core.output.reading import read_scores
from tasks.core.spec.file import load_spec

pytestmark = pytest.mark.usefixtures("servers")
SPEC = """\
name: partitioned-sales
problem: regression
data: {source: sales, target: amount, id: sale}
candidates: [{estimator: sklearn.linear_model.Ridge}]
scoring: {source: 'sales/**/*.parquet', output: out, keep: [region, month]}
"""


def test_what_the_folders_say_is_learned_scored_and_carried_through(tmp_path):
    """Without the region, the error would be 25; a folder that is renamed is other data."""
    chance = np.random.default_rng(27)
    sales = pd.DataFrame(
        {
            "sale": range(600),
            "qty": chance.integers(1, 9, 600),
            "region": chance.choice(["EU", "US", "JP"], 600),
            "month": chance.integers(1, 4, 600),
        }
    )
    of_region = sales["region"].map({"EU": 10, "US": 50, "JP": 90})
    sales["amount"] = 2 * sales["qty"] + of_region + chance.normal(0, 1, 600)
    sales.to_parquet(tmp_path / "sales", partition_cols=["region", "month"], index=False)
    (tmp_path / "sales" / "_SUCCESS").touch()
    (tmp_path / "s.yaml").write_text(SPEC, encoding="utf-8")
    spec = load_spec(tmp_path / "s.yaml")

    run_lifecycle(spec)
    scores = read_scores(spec.scoring.output).to_pandas().sort_values("sale", ignore_index=True)
    assert scores[["sale", "region", "month"]].equals(sales[["sale", "region", "month"]])
    assert np.abs(scores["prediction"] - sales["amount"]).mean() < 1.5
    assert train_model(spec).model_reused

    (tmp_path / "sales" / "region=US").rename(tmp_path / "sales" / "region=UK")
    assert not train_model(spec).model_reused

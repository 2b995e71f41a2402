import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.model.metadata import check_scikit_learn, read_metadata

SCHEMA = pa.schema(
    [("id", pa.string()), ("n", pa.float64()), ("city", pa.string()), ("y", pa.float64())]
)


def test_a_card_survives_its_file(tmp_path, make_card):
    card = make_card(
        SCHEMA,
        data={"source": "/in/t.csv", "target": "y", "id": "id", "drop": ["z"]},
        gates={"limits": {"mae": {"max": 1}}, "champion": {"metric": "rmse"}},
        candidates=[{"estimator": "sklearn.linear_model.Ridge", "params": {"alpha": 2.0}}],
    )
    card.write(tmp_path)
    assert read_metadata(tmp_path) == card


def test_a_model_without_a_card_is_refused(tmp_path):
    with pytest.raises(
        RequestError, match="not registered by afterfit: bring it in with `afterfit register`"
    ):
        read_metadata(tmp_path)


@pytest.mark.parametrize(
    ("made_with", "installed", "same"),
    [("1.9.0", "1.9.1", True), ("1.9.1", "1.9.1", True), ("1.8.2", "1.9.0", False), ("1.10.0", "1.1.0", False),
     ("2.9.0", "1.9.0", False)],
)  # fmt: skip
def test_a_model_of_another_minor_version_is_refused_with_the_remedy(made_with, installed, same):
    if same:
        assert check_scikit_learn(made_with, installed) is None
        return
    with pytest.raises(
        RequestError,
        match=f"made with scikit-learn {made_with}, installed is {installed}: train it",
    ):
        check_scikit_learn(made_with, installed)

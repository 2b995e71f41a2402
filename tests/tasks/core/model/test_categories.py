"""Which categories a fitted pipeline knows, and which of its encoders raise on others."""

import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tasks.core.model.categories import known_categories

FRAME = pd.DataFrame({"city": ["Oslo", "Windhoek", "Oslo"], "size": [1.0, 2.0, 3.0]})
CITIES = {"city": ["Oslo", "Windhoek"]}
LENIENT = OneHotEncoder(handle_unknown="ignore")


def known(*branches, strict):
    """The categories that a pipeline of these branches knows, by column."""
    named = [(str(number), *branch) for number, branch in enumerate(branches)]
    pipeline = make_pipeline(ColumnTransformer(named), Ridge()).fit(FRAME, [1, 2, 3])
    found = known_categories(pipeline, strict=strict)
    return {name: categories.to_pylist() for name, categories in found.items()}


@pytest.mark.parametrize(
    ("transformer", "is_strict"),
    [
        (OneHotEncoder(), True),
        (LENIENT, False),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), True),
        (
            make_pipeline(
                SimpleImputer(missing_values="Rome", strategy="most_frequent"), OneHotEncoder()
            ),
            False,
        ),
    ],
)
def test_an_encoder_knows_its_categories_and_is_strict_if_it_raises_on_others(
    transformer, is_strict
):
    """One that another string may reach, because an imputer replaces it, is not strict."""
    assert known((transformer, ["city"]), strict=False) == CITIES
    assert known((transformer, ["city"]), strict=True) == (CITIES if is_strict else {})


def test_numbers_have_no_categories():
    assert known((OneHotEncoder(), ["size"]), (StandardScaler(), ["size"]), strict=False) == {}


def test_a_branch_without_columns_has_no_categories():
    branches = [(OneHotEncoder(), ["city"]), (StandardScaler(), [])]
    assert known(*branches, strict=False) == CITIES

import re

import pytest
import yaml

from tasks.core.errors import RequestError
from tasks.core.spec.file import load_spec

UNKNOWN = [
    (
        "nmae=x",
        (
            "nmae is not a field of the spec: known here are name, problem, data, candidates, "
            "gates, scoring"
        ),
    ),
    ("data.sorce=x", "data.sorce is not a field .* source, target, id, time, segment, drop"),
    ("data.window=1d", "data.window is not a field of the spec"),
    ("gates.limits.mae.maximum=3", "gates.limits.mae.maximum is not a field .* min, max"),
    (
        "gates.champion.metrics=mae",
        "gates.champion.metrics is not a field .* metric, confidence, margin",
    ),
    ("candidates.0.parms={}", "candidates.0.parms is not a field .* estimator, params"),
]


@pytest.mark.parametrize(("override", "words"), UNKNOWN, ids=[first for first, _ in UNKNOWN])
def test_an_unknown_field_is_named_with_those_that_are_known_beside_it(refuse, override, words):
    message = refuse(override)

    assert re.search(words, message)


@pytest.mark.parametrize("field", ["name", "problem", "data", "candidates"])
def test_a_field_that_must_be_there_is_named_when_it_is_not(path, field):
    document = yaml.safe_load(path.read_text())
    del document[field]
    path.write_text(yaml.safe_dump(document))

    with pytest.raises(RequestError, match=f": {field} is missing\\.$"):
        load_spec(path)


def test_a_misspelt_field_is_named_rather_than_the_one_that_is_missing(path):
    document = yaml.safe_load(path.read_text())
    document["data"] = {"source": "t.csv", "targt": "y"}
    document["candidates"] = []
    path.write_text(yaml.safe_dump(document))

    words = r"data\.targt is not a field of the spec: known here are source, target"
    with pytest.raises(RequestError, match=words):
        load_spec(path)

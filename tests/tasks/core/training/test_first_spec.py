from datetime import date

import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.spec.file import load_spec
from tasks.core.training.first_spec import guess_problem, guess_roles, write_first_spec

DAYS = [date(2024, 1, day) for day in range(1, 21)]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([0.5, 1.5], "regression"), ([1.0, 2.0], "regression"), (list(range(20)), "classification"),
        (list(range(21)), "regression"), ([1, 2, None] * 9, "classification"), (["a", "b"], "classification"),
        ([True, False], "classification"),
    ],
)  # fmt: skip
def test_texts_booleans_and_a_few_whole_numbers_are_classes(values, problem):
    assert guess_problem(pa.chunked_array([values])) == problem


@pytest.mark.parametrize(
    ("columns", "id_", "time", "drop"),
    [
        ({"k": [1, 2, 3], "x": [1, 1, 2]}, "k", None, ()),
        ({"k": [1, 1, 2], "x": [1, 2, 3]}, None, None, ()),
        ({"k": [0.1, 0.2, 0.3]}, None, None, ()),
        ({"k": DAYS[:3], "x": [1, 2, 3]}, None, "k", ()),
        ({"k": ["a", "b", "c"], "at": DAYS[:3]}, "k", "at", ()),
        ({"k": ["a", "b", "c"], "at": [*DAYS[:2], None]}, "k", None, ()),
        ({"k": [b"a", b"b", b"c"], "l": [[1], [2], [3]]}, None, None, ("k", "l")),
        ({"k": pa.array(["a", "b", "c"]).dictionary_encode()}, None, None, ()),
        ({}, None, None, ()),
    ],
)
def test_the_id_never_repeats_the_time_has_no_gaps_and_what_no_model_can_use_is_dropped(
    columns, id_, time, drop
):
    roles = guess_roles(pa.table({**columns, "y": [1, 2, 3]}), "y")
    assert (roles.id, roles.time, roles.drop) == (id_, time, drop)


@pytest.mark.parametrize("name", ["hours.csv", "hours.parquet"])
@pytest.mark.parametrize(
    ("target", "values", "problem"),
    [
        ("cnt", [number / 7 for number in range(20)], "regression"),
        ("yes", ["a", "b"] * 10, "classification"),
    ],
)
def test_a_first_spec_can_be_read_and_says_what_was_found(
    tmp_path, write, name, target, values, problem
):
    """Also where a column is named as YAML names a boolean."""
    table = pa.table(
        {
            "key": [f"k{number}" for number in range(20)],
            "day": DAYS,
            "x: y": range(20),
            target: values,
        }
    )
    content = table if name.endswith("parquet") else table.to_pandas().to_csv(index=False)
    file = write(name, content)
    path = tmp_path / "my model.yaml"
    write_first_spec(file.path, target, path)
    spec = load_spec(path)
    assert (spec.name, spec.problem, spec.data.source) == ("my-model", problem, file.path)
    assert (spec.data.target, spec.data.id, spec.data.time, spec.data.drop) == (
        target,
        "key",
        "day",
        (),
    )
    assert spec.scoring.output == str(tmp_path / "my-model-scores")
    assert f"source: {name}" in path.read_text()


@pytest.mark.parametrize(
    ("target", "exists", "words"),
    [("cnt", True, "exists already"), ("ctn", False, "Column 'ctn' is not in .*did you mean cnt")],
)
def test_no_spec_is_overwritten_or_written_for_a_target_that_is_not_there(
    tmp_path, write, target, exists, words
):
    file = write("hours.csv", "id,cnt\n1,2\n")
    path = tmp_path / "hours.yaml"
    if exists:
        path.write_text("mine")
    with pytest.raises(RequestError, match=words):
        write_first_spec(file.path, target, path)
    assert (path.read_text() if exists else path.exists()) == ("mine" if exists else False)

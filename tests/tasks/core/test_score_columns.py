import pytest

from tasks.core.errors import RequestError
from tasks.core.score_columns import ScoreColumns, check_carried


@pytest.mark.parametrize(
    ("id_column", "carried"), [(None, ("a",)), ("", ("", "a")), ("id", ("id", "a"))]
)
def test_an_empty_name_of_an_id_is_a_name(id_column, carried):
    assert ScoreColumns(id_column, ("a",)).carried == carried


@pytest.mark.parametrize(
    ("id_column", "keep", "refused"),
    [
        ("id", ["a", "b"], None),
        (None, ["id"], None),
        ("", ["row"], None),
        ("", [""], ""),
        ("row", [""], None),
        (None, [], None),
        (None, ["row"], "row"),
        ("id", ["id"], "id"),
        ("id", ["a", "a"], "a"),
        ("prediction", [], "prediction"),
        ("id", ["model_version"], "model_version"),
        ("id", ["probability_1"], "probability_1"),
    ],
)
def test_no_carried_column_has_the_name_of_another_column_of_scores(id_column, keep, refused):
    if refused is None:
        assert check_carried(id_column, keep) is None
        return
    with pytest.raises(RequestError, match=f"column '{refused}' would occur twice"):
        check_carried(id_column, keep)

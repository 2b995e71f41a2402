import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.targets import check_classes, check_target, has_target, target_values

NAN, INFINITY = float("nan"), float("inf")


def chunked(values, type_=None):
    return pa.chunked_array([pa.array(values, type_)])


STRINGS = chunked(["a", "b"])
BOOLEANS = chunked([True, False])


@pytest.mark.parametrize(
    ("target", "problem", "words"),
    [
        (chunked([1.5, 2]), "regression", None),
        (chunked([1, 2]), "regression", None),
        (STRINGS, "regression", "is string, not a number: set `problem: classification`"),
        (BOOLEANS, "regression", "is bool, not a number"),
        (chunked([1.0, INFINITY]), "regression", "is infinite"),
        (chunked([], pa.float64()), "regression", "is missing in every row"),
        (STRINGS, "classification", None),
        (STRINGS.dictionary_encode(), "classification", None),
        (BOOLEANS, "classification", None),
        (chunked([1, 2]), "classification", None),
        (chunked([1.0, 2.0]), "classification", None),
        (chunked([1.0, 2.5]), "classification", "has fractions: set `problem: regression`"),
        (chunked([1.0, INFINITY]), "classification", "is infinite"),
        (chunked(["a", "a"]), "classification", r"has one class only \('a'\)"),
        (chunked([b"a", b"b"]), "classification", "is binary, which cannot be a class"),
        (chunked([0, 1], pa.timestamp("us")), "classification", "cannot be a class"),
    ],
)
def test_the_target_suits_the_problem_or_is_refused(target, problem, words):
    if words is None:
        assert check_target(target, "y", problem) is None
        return
    with pytest.raises(RequestError, match=f"The target 'y' .*{words}"):
        check_target(target, "y", problem)


def test_one_class_is_too_few_for_a_classification_only():
    one = chunked([7, 7])
    assert check_classes(one, "y", "regression") is None
    with pytest.raises(RequestError, match=r"has one class only \(7\) in the rows that train"):
        check_classes(one, "y", "classification")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, None, NAN, 0.0], [True, False, False, True]),
        ([1, None], [True, False]),
        (["", None], [True, False]),
    ],
)
def test_a_target_is_there_where_it_is_neither_null_nor_nan(values, expected):
    assert has_target(chunked(values)).to_pylist() == expected


@pytest.mark.parametrize(
    ("target", "problem", "values", "dtype"),
    [
        (chunked([1, 2]), "regression", [1.0, 2.0], "float64"),
        (chunked([2**60 + 1, 1]), "regression", [2.0**60, 1.0], "float64"),
        (chunked([1.0, 2.0]), "classification", [1, 2], "int64"),
        (chunked([1, 2], pa.int8()), "classification", [1, 2], "int64"),
        (BOOLEANS, "classification", [True, False], "bool"),
        (STRINGS, "classification", ["a", "b"], "object"),
        (STRINGS.dictionary_encode(), "classification", ["a", "b"], "object"),
    ],
)
def test_the_target_is_numbers_or_labels(target, problem, values, dtype):
    found = target_values(pa.table({"y": target}), "y", problem)
    assert (found.tolist(), str(found.dtype)) == (values, dtype)

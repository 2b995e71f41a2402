from decimal import Decimal

import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.tables.targets import check_classes, check_target, has_target, target_values

NAN, INFINITY = float("nan"), float("inf")


def chunked(values, type_=None):
    return pa.chunked_array([pa.array(values, type_)])


MONEY = [f"${number:,}.50" for number in range(980, 1020)]
LOCAL_DATES = [f"31.1.{year}" for year in range(1990, 2020)]
LOCAL_DATES.insert(0, LOCAL_DATES.pop(-1).replace("2019", "2024"))
WORDS = [f"w{number % 40}" for number in range(60)]
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
        (chunked([1.0, 2.0], pa.float16()), "classification", None),
        (chunked([1.0, 2.5], pa.float16()), "classification", "has fractions"),
        (chunked([1.0, 2.5], pa.float16()), "regression", None),
        (chunked([1.0, 2.5]), "classification", "has fractions: set `problem: regression`"),
        (chunked([1.0, INFINITY]), "classification", "is infinite"),
        (chunked([1.0, 1e300]), "classification", "no whole numbers of 64 bits"),
        (chunked([1, 2**64 - 1], pa.uint64()), "classification", "no whole numbers of 64 bits"),
        (chunked([1, 2], pa.decimal128(9, 2)), "classification", None),
        (chunked([1, Decimal("2.5")], pa.decimal128(9, 2)), "classification", "no whole numbers"),
        (
            chunked(MONEY),
            "classification",
            r"is text, and nearly all .* money amounts, such as '\$",
        ),
        (chunked(MONEY), "regression", "1234.56, and set `problem: regression`"),
        (chunked(["$5", "$10"]), "classification", None),
        (chunked(["$5", "$10"]), "regression", "is text, and nearly all .* money amounts"),
        (chunked(LOCAL_DATES), "classification", "dates, such as '31.1.2024': a date cannot be"),
        (chunked(range(40)), "classification", "has 40 classes in 40 rows, such as 0: most"),
        (chunked(WORDS), "classification", "has 40 classes in 60 rows, such as 'w0': most"),
        (chunked(WORDS * 2), "classification", None),
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

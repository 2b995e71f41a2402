"""Results: ratios of medians, and how they are shown."""

import json

import pytest

from benchmarks.result import HEADER, at_least, at_most, compare, row, write_result


@pytest.mark.parametrize(
    ("ours", "other", "expected"),
    [
        ([3.0], [1.0], (3.0, 1.0, 3.0, 3.0, 3.0)),
        ([1.0, 9.0, 2.0], [4.0, 4.0, 400.0], (2.0, 4.0, 0.5, 0.005, 2.25)),
        ([1.0, 2.0], [1.0, 2.0], (1.5, 1.5, 1.0, 1.0, 1.0)),
    ],
)
def test_the_ratio_is_that_of_the_medians(ours, other, expected):
    """One slow run changes neither median, nor their ratio; it shows in the ratio of its run."""
    result = compare("some", "ours over other", "s", ours, other, at_most(2.0))
    medians = (result.ours, result.other, result.ratio)

    assert (*medians, result.lowest, result.highest) == expected
    assert result.runs == len(ours)


@pytest.mark.parametrize(
    ("target", "ratio", "met"),
    [
        (at_most(2.0), 1.99, "yes"),
        (at_most(2.0), 2.0, "yes"),
        (at_most(2.0), 2.01, "no"),
        (at_least(2.0), 2.0, "yes"),
        (at_least(2.0), 1.99, "no"),
        (at_least(2.0), 0.99, "no: the other is better"),
    ],
)
def test_the_table_tells_whether_the_target_is_met(target, ratio, met):
    """The target itself is still good; where the other wins, the row says so."""
    ours = ratio * 1000
    shown = row(compare("some", "what", "rows/s", [ours], [1000.0], target, peak_mib=512.3))
    assert shown == (
        f"| `some` what | {ours:,.0f} rows/s | 1,000 rows/s | {ratio:.2f} "
        f"| {target.bound} 2 | {met} | 512 | {ratio:.2f} to {ratio:.2f} |"
    )

    names, line = HEADER.splitlines()
    assert shown.count("|") == names.count("|") == line.count("|")


def test_a_result_is_one_json_file_named_for_it(tmp_path):
    """It says what was measured, how, and on what."""
    result = compare("some", "what", "s", [1.0], [2.0], at_least(1))
    path = write_result(result, tmp_path / "results")

    assert path == tmp_path / "results" / "some.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    expected = {
        "name": "some",
        "ours": 1.0,
        "other": 2.0,
        "ratio": 0.5,
        "bound": "at least",
        "met": False,
        "runs": 1,
    }
    assert {name: document[name] for name in expected} == expected
    assert document["machine"].keys() == {"cpu", "cores", "memory_gib", "python", "platform"}

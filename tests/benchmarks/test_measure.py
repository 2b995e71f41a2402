"""The timing harness, without a word on how long anything takes."""

import json
import sys

import pytest

from benchmarks.__main__ import BENCHMARKS, row
from benchmarks.measure import Contest, environment, hold, sum_up, write_result


def contest(ours, other="pass"):
    """Two commands of Python; `ours` is made from the number of the turn."""
    return Contest(
        "ours over other", 2.0, lambda turn: [sys.executable, "-c", ours(turn)], [sys.executable, "-c", other], {}
    )


@pytest.mark.parametrize(
    ("ours", "other", "expected"),
    [
        ([3.0], [1.0], (3.0, 1.0, 3.0)),
        ([1.0, 9.0, 2.0], [4.0, 4.0, 400.0], (2.0, 4.0, 0.5)),
        ([1.0, 2.0], [1.0, 2.0], (1.5, 1.5, 1.0)),
    ],
)
def test_the_ratio_is_that_of_the_medians(ours, other, expected):
    """One slow run changes neither median, so it does not change the ratio."""
    result = sum_up(contest(str), ours, other)
    assert (result.ours, result.other, result.ratio) == expected
    assert (result.target, result.runs) == (2.0, len(ours))


def test_a_result_is_one_json_file_with_the_keys_that_readers_expect(tmp_path):
    """The file is named for the benchmark, and says what was measured, how, and on what."""
    path = write_result("some", sum_up(contest(str), [1.0], [2.0]), tmp_path / "results")
    assert path == tmp_path / "results" / "some.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    assert list(document) == ["measure", "ours", "other", "ratio", "target", "runs", "machine"]
    assert document["machine"].keys() == {"cpu", "cores", "memory_gib", "python", "platform"}
    assert document["machine"]["memory_gib"] > 0


def test_the_commands_run_in_turn_after_one_warm_up(tmp_path):
    """Two counted runs are three turns, each ours first; ours is told which turn it is."""
    log = tmp_path / "log"
    write = f"open({str(log)!r}, 'a').write"
    result = hold(contest(lambda turn: f"{write}('ours {turn}, ')", f"{write}('other, ')"), runs=2)
    assert log.read_text(encoding="utf-8") == "ours 0, other, ours 1, other, ours 2, other, "
    assert result.runs == 2


def test_a_command_that_fails_is_no_figure():
    """A failure ends the benchmark and shows what the command said last; so does a number of runs below one."""
    with pytest.raises(RuntimeError, match=r"ended with 3: so it goes"):
        hold(contest(lambda _: "import sys; sys.stderr.write('so it goes'); sys.exit(3)"), runs=1)
    with pytest.raises(ValueError, match="runs is 0"):
        hold(contest(str), runs=0)


def test_commands_keep_their_bytecode(monkeypatch):
    """The switch that many containers set is taken away; the variables of a contest are added."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    given = environment({"AFTERFIT_HOME": "/somewhere"})
    assert "PYTHONDONTWRITEBYTECODE" not in given
    assert (given["AFTERFIT_HOME"], given["PYTHONSAFEPATH"]) == ("/somewhere", "1")


@pytest.mark.parametrize(("ratio", "met"), [(1.99, "yes"), (2.0, "yes"), (2.01, "no")])
def test_the_table_tells_whether_the_target_is_met(ratio, met):
    """A row names the benchmark, its figures and its target; the target itself is still good."""
    shown = row("some", sum_up(contest(str), [ratio], [1.0]))
    assert shown == f"| some | {ratio:.3f} | 1.000 | {ratio:.2f} | at most 2 | {met} |"


def test_every_benchmark_has_a_file_of_its_name():
    """`make bench BENCH=name` runs what `benchmarks/name.py` holds."""
    assert {name: opened.__module__ for name, opened in BENCHMARKS.items()} == {
        name: f"benchmarks.{name}" for name in BENCHMARKS
    }

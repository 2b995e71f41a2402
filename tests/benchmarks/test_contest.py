"""Contests: whose turn it is."""

import sys

import pytest

from benchmarks.command import Command
from benchmarks.contest import Contest, hold


def writing(log, word):
    """A command that notes its word and makes its output."""
    code = f"import sys; open({str(log)!r}, 'a').write('{word} '); open(sys.argv[1], 'x').close()"
    return lambda output: Command([sys.executable, "-c", code, output])


@pytest.mark.parametrize(("warm_up", "turns"), [(True, 3), (False, 2)])
def test_the_commands_run_in_turn(tmp_path, warm_up, turns):
    """A warm-up is one turn more, not counted; every output is a new path, and gone afterwards."""
    log, folder = tmp_path / "log", tmp_path / "out"
    log.touch()
    commands = {"ours": writing(log, "ours"), "other": writing(log, "other")}
    taken = hold(Contest(commands, folder, reads=[log], warm_up=warm_up), runs=2)

    assert log.read_text(encoding="utf-8") == "ours other " * turns
    assert {name: len(each) for name, each in taken.items()} == {"ours": 2, "other": 2}
    assert list(folder.iterdir()) == []


def test_at_least_one_run_is_needed(tmp_path):
    with pytest.raises(ValueError, match="runs is 0"):
        hold(Contest({}, tmp_path), runs=0)

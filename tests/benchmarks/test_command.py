"""Commands are timed whole, with the memory of all their processes, and leave nothing behind."""

import sys

import psutil
import pytest

from benchmarks.command import Command, environment, started, take

CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
HOLD = "import time; held = bytearray(200 << 20); time.sleep(0.5)"


def python(code, **variables):
    return Command([sys.executable, "-c", code], variables)


def test_the_memory_of_a_child_counts():
    """What a process of the command holds is in the peak, whichever process that is."""
    assert 200 < take(python(CHILD.format(code=HOLD))).peak_mib < 400


def test_what_a_command_prints_and_how_long_it_took_are_kept():
    taken = take(python("import time; time.sleep(0.2); print('so it goes')"))
    assert taken.output == "so it goes\n"
    assert taken.seconds >= 0.2


def test_a_command_that_fails_is_no_measurement():
    """A failure ends the benchmark, and shows what the command said last."""
    with pytest.raises(RuntimeError, match=r"ended with 3: so it goes"):
        take(python("import sys; sys.stderr.write('so it goes'); sys.exit(3)"))


def interrupt(path, family):
    """Start a command with a child, note both, and be interrupted while they run."""
    code = CHILD.format(code="import time; print('up', flush=True); time.sleep(60)")

    with path.open("w+") as output, started(python(code), output, output) as process:
        while not path.read_text(encoding="utf-8"):
            pass
        children = psutil.Process(process.pid).children()
        family += [process.pid, *(child.pid for child in children)]
        raise KeyboardInterrupt


def test_an_interrupted_command_is_not_left_running(tmp_path):
    """Neither is its child."""
    family = []
    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path / "output", family)
    assert len(family) == 2

    left = [psutil.Process(pid) for pid in family if psutil.pid_exists(pid)]
    psutil.wait_procs(left, timeout=10)
    assert not any(psutil.pid_exists(pid) for pid in family)


def test_commands_keep_their_bytecode(monkeypatch):
    """The switch that many containers set is taken away; the variables of a command are added."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    given = environment({"AFTERFIT_HOME": "/somewhere"})

    assert "PYTHONDONTWRITEBYTECODE" not in given
    assert (given["AFTERFIT_HOME"], given["PYTHONSAFEPATH"]) == ("/somewhere", "1")

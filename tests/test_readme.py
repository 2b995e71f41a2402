"""The README's commands: each one runs here, or is run by CI or by another test."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
PYTHON = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
SESSION = "The first five minutes"
# What the example in Python takes for granted, and what must hold after it.
BEFORE = """\
import pandas
frame = pandas.read_csv("diabetes.csv", dtype={"patient": "str"})
"""
AFTER = """
assert problems == [] and scored.rejected is None
assert scored.scores.cast(scores.schema).equals(scores)
"""
ELSEWHERE = {
    ("make",): ".ci/run",
    ("eval",): "tests/deployments/test_cli.py",
    ("prefect",): "tests/deployments/test_prefect_yaml.py",
    (".", ".venv/bin/activate"): "tests/test_readme.py",  # here its folder is put on the path
}


def _session():
    section = README.partition(f"## {SESSION}")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL))


def _example(name):
    """Return the one example in Python that imports a name."""
    (found,) = [
        block
        for block in PYTHON
        if re.search(rf"^from afterfit import .*{name}", block, re.MULTILINE)
    ]
    return found


def test_every_command_is_run_somewhere():
    """A command that nothing runs would rot."""
    session = set(_session().splitlines())
    others = [line for block in BLOCKS for line in block.splitlines() if line not in session]
    assert [line for line in others if not _is_run_elsewhere(line)] == []


def _is_run_elsewhere(line):
    """Tell whether the file that is to run a command names each of its words, the names of files
    and pools apart.
    """
    words = line.partition("#")[0].split()
    where = next(
        (path for start, path in ELSEWHERE.items() if tuple(words[: len(start)]) == start), None
    )
    text = (ROOT / where).read_text(encoding="utf-8") if where else ""
    return bool(where) and all(word.strip('"()$;') in text for word in words)


@pytest.mark.usefixtures("servers")
def test_the_first_five_minutes_work_as_they_stand(tmp_path):
    """The commands of the section, one after the other in one shell, all succeed."""
    bin_folder = Path(sys.executable).parent
    lines = [line for line in _session().splitlines() if not line.startswith(". .venv")]
    (tmp_path / "notebook.py").write_text(BEFORE + _example("open_model") + AFTER, encoding="utf-8")
    # The session's other tests need the servers.
    commands = [line for line in lines if line != "afterfit down"]
    script = "\n".join([*commands, "python notebook.py"])
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-e"],
        input=script,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reused: spec and data are unchanged" in done.stdout
    assert "REFUSED by its gates, the champion is version 1" in done.stdout
    assert "all is as its manifest says" in done.stdout
    assert "prediction" in done.stdout


@pytest.mark.usefixtures("servers")
def test_the_flow_of_ones_own_runs_as_it_stands(tmp_path):
    (tmp_path / "own.py").write_text(_example("make_runner"), encoding="utf-8")
    assert runpy.run_path(str(tmp_path / "own.py"))["add_squares"](10) == 285

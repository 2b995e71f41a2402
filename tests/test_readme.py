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
SESSION = "The first five minutes"
# What must hold after the example in Python.
AFTER = """
assert problems == [] and scored.rejected is None
assert scored.scores.cast(scores.schema).equals(scores)
"""
# The first words of a command -> the file that runs it.
ELSEWHERE = {
    ("make",): ".ci/run",
    ("eval",): "tests/deployments/cli/test_servers.py",
    ("prefect",): "tests/deployments/test_prefect_yaml.py",
    ("afterfit", "up"): "tests/deployments/servers/test_local.py",
    ("afterfit", "open"): "tests/deployments/servers/test_local.py",
    (".", ".venv/bin/activate"): "tests/test_readme.py",  # here its folder is put on the path
}


def blocks_of(language, text=README):
    """List the blocks of code in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def example(name):
    """Return the one example in Python that imports a name."""
    pattern = rf"^from afterfit import .*{name}"
    blocks = blocks_of("python")
    (found,) = [block for block in blocks if re.search(pattern, block, re.MULTILINE)]
    return found


def session_lines():
    """List the commands of the session."""
    section = README.partition(f"## {SESSION}")[2].partition("\n## ")[0]
    return "\n".join(blocks_of("sh", section)).splitlines()


def is_run_elsewhere(line):
    """Return whether the file that is to run a command names each of its words."""
    words = line.partition("#")[0].split()
    for start, path in ELSEWHERE.items():
        if tuple(words[: len(start)]) == start:
            text = (ROOT / path).read_text(encoding="utf-8")
            return all(word.strip('"()$;') in text for word in words)
    return False


def test_every_command_is_run_somewhere():
    """A command that nothing runs would rot."""
    session = session_lines()
    lines = [line for block in blocks_of("sh") for line in block.splitlines()]
    others = [line for line in lines if line not in session]
    assert [line for line in others if not is_run_elsewhere(line)] == []


@pytest.mark.usefixtures("servers")
def test_the_first_five_minutes_work_as_they_stand(tmp_path):
    """The commands of the section, one after the other in one shell, all succeed."""
    lines = [line for line in session_lines() if not line.startswith(". .venv")]
    lines.remove("afterfit down")  # other tests need the servers
    notebook = example("open_model") + AFTER
    (tmp_path / "notebook.py").write_text(notebook, encoding="utf-8")
    lines.append("python notebook.py")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-e"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reused: spec and data are unchanged" in done.stdout
    assert "REFUSED by its gates, the champion is version 1" in done.stdout
    assert "all is as its manifest says" in done.stdout
    assert "prediction" in done.stdout


@pytest.mark.usefixtures("servers")
def test_the_flow_of_ones_own_runs_as_it_stands(tmp_path):
    (tmp_path / "own.py").write_text(example("make_runner"), encoding="utf-8")
    assert runpy.run_path(str(tmp_path / "own.py"))["add_squares"](10) == 285

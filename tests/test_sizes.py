"""How long files and functions may be."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("afterfit", "deployments", "flows", "tasks")
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
LONGEST_FILE = 250  # lines
LONGEST_BODY = 30  # lines, without the docstring
each_file = pytest.mark.parametrize("path", SOURCES)


def body_length(function):
    """Return the lines of a function from its first statement after the docstring to its end."""
    has_docstring = ast.get_docstring(function, clean=False) is not None
    statements = function.body[1:] if has_docstring else function.body
    return function.end_lineno - statements[0].lineno + 1 if statements else 0


def functions_in(source):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]


@each_file
def test_no_file_is_longer_than_a_reader_can_follow(path):
    assert len(SOURCES[path].splitlines()) <= LONGEST_FILE


@each_file
def test_no_function_body_is_longer_than_a_screen(path):
    lengths = {node.name: body_length(node) for node in functions_in(SOURCES[path])}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_BODY} == {}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def f(): ...", 1),
        ("def f():\n    'What it does.'", 0),
        ("def f():\n    'What it does.'\n\n    a = 1\n\n    return a", 3),
        ("async def f(\n    a,\n):\n    return (\n        a\n    )", 3),
    ],
)
def test_a_body_is_counted_from_its_first_statement_after_the_docstring(source, lines):
    assert [body_length(node) for node in functions_in(source)] == [lines]

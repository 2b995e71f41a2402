"""The modules that are imported when a command first uses them."""

import ast
from pathlib import Path

import pytest

from deployments.cli import lazy

SOURCE = Path(lazy.__file__).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", lazy.MODULES)
def test_a_name_is_its_module(name):
    module = getattr(lazy, name)
    assert module.__name__ == lazy.MODULES[name]


def test_type_checkers_see_the_same_modules():
    statements = ast.parse(SOURCE).body
    (block,) = [statement for statement in statements if isinstance(statement, ast.If)]

    seen = {}
    for statement in block.body:
        (alias,) = statement.names
        seen[alias.asname] = f"{statement.module}.{alias.name}"
    assert seen == lazy.MODULES


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="has no attribute 'lifecicle'"):
        lazy.lifecicle  # noqa: B018 - asking for it is what raises

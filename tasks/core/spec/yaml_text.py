"""YAML, read within the bounds of a spec: what is larger is refused before anything is built."""

from typing import Any

import yaml

MOST_CHARACTERS = 1 << 18
MOST_NODES = 20_000  # values, once every alias is unfolded
MOST_DEPTH = 50
MOST_DIGITS = 100
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
MERGE = "tag:yaml.org,2002:merge"
# The parser in C finds out what is in a text many times sooner, where PyYAML was built with it.
PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Sizes = dict[yaml.Node, tuple[int, int]]


def read_yaml(text: str) -> Any:
    """Return the value that a YAML text stands for.

    >>> read_yaml("{target: cnt, drop: [a, b]}")
    {'target': 'cnt', 'drop': ['a', 'b']}

    Raises:
        ValueError: it is no YAML, or holds what no spec needs: more than a few thousand values,
            aliases included, deep nesting, huge numbers, a key twice, or characters that no name
            can have.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"it has more than {MOST_CHARACTERS:,} characters")

    try:
        _check_events(text)
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return None
        _measure(root, 0, {})
        return loader.construct_document(root)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _check_events(text: str) -> None:
    """Refuse a text of too many values, or too deep a nesting, without building anything."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=PARSER)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        _check_size(number // 2, depth)  # a collection has two events


def _check_size(values: int, depth: int) -> None:
    if values > MOST_NODES:
        raise ValueError(f"it holds more than {MOST_NODES:,} values")
    if depth > MOST_DEPTH:
        raise ValueError(f"it is nested more than {MOST_DEPTH} deep")


def _measure(node: yaml.Node, depth: int, known: Sizes) -> tuple[int, int]:
    """Check a node and all below it; return how many they are, unfolded, and how deep they go.

    An alias is the node that it stands for: each is looked at once, and counted each time.
    """
    _check_size(0, depth)
    if node not in known:
        values, below = 1, 0
        for child in _children(node):
            size, height = _measure(child, depth + 1, known)
            values += size
            below = max(below, height)
            _check_size(values, depth + below)
        known[node] = values, below + 1

    values, height = known[node]
    _check_size(values, depth + height - 1)
    return values, height


def _children(node: yaml.Node) -> list[yaml.Node]:
    """List the nodes in a node, and check it by itself.

    Raises:
        ValueError: with its line.
    """
    if isinstance(node, yaml.ScalarNode):
        _check_scalar(node)
        return []
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)

    keys = [key for key, _ in node.value]
    _check_keys(keys)
    return [*keys, *(value for _, value in node.value)]


def _check_scalar(node: yaml.ScalarNode) -> None:
    is_number = node.tag in NUMBERS
    if is_number and len(node.value) > MOST_DIGITS:
        raise ValueError(f"{_line(node)} holds a number of {len(node.value):,} characters")
    if "\0" in node.value:
        raise ValueError(f"{_line(node)} holds a NUL character")
    try:
        node.value.encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise ValueError(f"{_line(node)} holds a character that is none") from error


def _check_keys(keys: list[yaml.Node]) -> None:
    """Refuse a key that is there twice: the first one would be ignored without a word."""
    seen = set()
    for key in keys:
        if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
            continue
        name = (key.tag, key.value)
        if name in seen:
            raise ValueError(f"{_line(key)} has the key {key.value[:100]!r} a second time")
        seen.add(name)


def _line(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"

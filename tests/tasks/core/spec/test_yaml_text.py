import re

import pytest

from tasks.core.errors import RequestError
from tasks.core.spec.file import load_spec
from tasks.core.spec.yaml_text import read_yaml

LAUGHS = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
LAUGHS += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
MERGES = ["a0: &a0 {k0: 1}"]
MERGES += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}], k{n}: 1}}" for n in range(1, 9)]
CHAIN = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000))]
HOSTILE = {
    "aliases that unfold to gigabytes": ("\n".join(LAUGHS), "more than 20,000 values"),
    "merges that unfold to gigabytes": ("\n".join(MERGES), "more than 20,000 values"),
    "aliases that nest": ("\n".join(CHAIN), "nested more than 50 deep"),
    "an alias of itself": ("a: &a [*a]", "nested more than 50 deep"),
    "a mapping of itself": ("a: &a {b: *a}", "nested more than 50 deep"),
    "brackets": ("[" * 100_000, "nested more than 50 deep"),
    "brackets that close": ("[" * 60 + "]" * 60, "nested more than 50 deep"),
    "braces": ("{a: " * 60_000, "nested more than 50 deep"),
    "dashes": ("- " * 100_000, "nested more than 50 deep"),
    "a huge list": (f"[{'1, ' * 80_000}]", "more than 20,000 values"),
    "a huge file": ("# " + "x" * 300_000, "more than 262,144 characters"),
    "a huge integer": (f"a: 1\nb: {'9' * 5000}", "line 2 holds a number of 5,000 characters"),
    "a huge hexadecimal one": (f"b: 0x{'f' * 60_000}", "line 1 holds a number of 60,002"),
    "a huge one in base 60": (f"b: 1{':59' * 2000}", "line 1 holds a number of 6,001"),
    "a huge float": (f"b: {'9' * 5000}.5", "line 1 holds a number of 5,002"),
    "NUL": ('a: "in\\0.csv"', "line 1 holds a NUL character"),
    "NUL in a key": ('{"a\\0": 1}', "line 1 holds a NUL character"),
    "half a character": (
        'a: "\\ud800"',
        "a character that is none|invalid Unicode",
    ),
    "a key twice": ("a: 1\nb: 2\na: 3", "line 3 has the key 'a' a second time"),
    "a key twice below": ("d: {x: 1, x: 1}", "line 1 has the key 'x' a second time"),
    "no day": ("a: 2024-13-45", "month must be in 1..12"),
    "a list as a key": ("? [a, b]\n: 1", "unhashable key"),
    "two documents": ("a: 1\n---\nb: 2", "expected a single document"),
    "an object": ("!!python/object/apply:os.system [true]", "could not determine a constructor"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_yaml_is_refused_in_a_short_sentence(case):
    text, words = HOSTILE[case]
    with pytest.raises(ValueError, match=words):
        read_yaml(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("a: &a {x: 1}\nb: *a", {"a": {"x": 1}, "b": {"x": 1}}),
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}", {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}}),
        ("[" * 49 + "]" * 49, eval("[" * 49 + "]" * 49)),  # noqa: S307 - brackets alone
        ("a: 2024-01-31\nb: 0x1f", {"a": __import__("datetime").date(2024, 1, 31), "b": 31}),
        ("\ufeffa: 'é'", {"a": "é"}),
    ],
)
def test_what_a_spec_may_hold_is_read_as_yaml_means_it(text, value):
    assert read_yaml(text) == value


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_spec_and_override_are_refused_in_one_bounded_line(path, case):
    text, _ = HOSTILE[case]
    with pytest.raises(RequestError) as from_override:
        load_spec(path, [f"candidates.0.params={text}"])
    path.write_bytes(text.encode(errors="replace"))
    with pytest.raises(RequestError) as from_file:
        load_spec(path)

    for refused in (from_override, from_file):
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 900


ODD = [
    ("candidates.0.params.alpha=.nan", "'alpha' is nan: give a finite number"),
    ("candidates.0.params={alpha: [1, {b: -.inf}]}", "'alpha' is -inf: give a finite number"),
    ("candidates.0.params.alpha=2024-01-01", "'alpha' holds a date: give a number, a text"),
    ("candidates.0.params.alpha=!!binary aGk=", "'alpha' holds a bytes: give a number, a text"),
    ("candidates.0.params.alpha=!!set {a, b}", "'alpha' holds a set: give a number, a text"),
    ("gates.champion.margin=.inf", "gates.champion.margin is inf: input should be a finite"),
    ("gates.limits={mae: {max: .inf}}", "gates.limits.mae.max is inf"),
    ("gates.segments.max_relative_loss=.nan", "max_relative_loss is nan"),
    ("scoring.max_bad_rows=.inf", "scoring.max_bad_rows is inf"),
    (f"name={'a' * 3000}", r"name is 'a{50,200}\.\.\.: "),
    (f"{'b' * 3000}=1", r"^.*b{50,}\.\.\. is not a field"),
    (f"candidates.0.estimator=sklearn.{'x' * 3000}", "estimator is 'sklearn.*at most 200"),
    (f"candidates.{'9' * 5000}.estimator=x", "is not a position in a list of 1"),
    ("a." * 3000 + "b=1", "write it as FIELD=VALUE"),
]


@pytest.mark.parametrize(("override", "words"), ODD, ids=[first[:40] for first, _ in ODD])
def test_a_value_that_no_field_can_hold_is_refused_in_one_bounded_line(path, override, words):
    with pytest.raises(RequestError) as refused:
        load_spec(path, [override])

    message = str(refused.value)
    assert re.search(words, message)
    assert "\n" not in message
    assert len(message) < 900

"""What is given is obeyed or refused by name, also where it is empty or zero."""

from typing import get_args

import pytest

from tasks.core.errors import RequestError
from tasks.core.spec.file import load_spec
from tasks.core.spec.sections import Section
from tasks.core.spec.spec import Spec

# Type -> its empty value, and how YAML writes it.
EMPTY = {
    str: ("", "''"),
    float: (0, "0"),
    bool: (False, "false"),
    tuple: ((), "[]"),
    dict: ({}, "{}"),
}


def parts_of(annotation):
    """List the classes in a type, as `str` and `NoneType` in `str | None`."""
    origin = getattr(annotation, "__origin__", annotation)
    if isinstance(origin, type):
        return [origin]
    found = [part for argument in get_args(annotation) for part in parts_of(argument)]
    return found or [type(annotation)]


def optional_fields(model, path=""):
    """Yield each field of a spec that may be left out, its empty value, and that as written."""
    for name, field in model.model_fields.items():
        (first, *_) = parts_of(field.annotation)
        if issubclass(first, Section):
            yield from optional_fields(first, f"{path}{name}.")
        elif not field.is_required():
            yield f"{path}{name}", *EMPTY[first]


CASES = [
    *optional_fields(Spec),
    ("candidates.0.params", {}, "{}"),
    ("gates.limits.mae", {"min": 0}, "{min: 0}"),
    ("gates.limits.mae", {"max": 0}, "{max: 0}"),
]
REFUSED = {
    "scoring.source",
    "scoring.output",
    "scoring.window",
    "scoring.on_existing",
    "gates.champion.metric",
    "gates.champion.confidence",
}


@pytest.mark.parametrize(("field", "empty", "text"), CASES, ids=[field for field, *_ in CASES])
def test_an_optional_field_that_is_given_empty_is_obeyed_or_refused_by_name(
    path, field, empty, text
):
    override = f"{field}={text}"
    if field in REFUSED:
        with pytest.raises(RequestError) as refused:
            load_spec(path, [override])
        assert field.rpartition(".")[2] in str(refused.value)
        return

    found = load_spec(path, [override])
    for name in field.split("."):
        if isinstance(found, tuple | dict):
            found = found[int(name) if name.isdecimal() else name]
        else:
            found = getattr(found, name)
    if isinstance(found, Section):
        found = found.model_dump(exclude_unset=True)
    assert found == empty


def test_the_optional_fields_are_all_there():
    assert {"data.id", "data.time", "data.segment", "data.drop", "scoring.max_bad_rows"} <= {
        field for field, *_ in CASES
    }
    assert len(CASES) == 20


@pytest.mark.parametrize("source", ["", " "])
def test_a_source_without_a_name_is_refused(path, source):
    with pytest.raises(RequestError, match=r"data\.source: .* names no place"):
        load_spec(path, [f"data.source={source!r}"])

"""Where an output is, and names that are no name for one."""

from pathlib import Path

import pytest

from tasks.core.errors import RequestError
from tasks.core.storage.location import absolute_output

HERE = Path("/data")


@pytest.mark.parametrize("output", ["", " ", "\t", "  \n "])
def test_an_empty_output_is_refused_with_its_likely_cause(output):
    with pytest.raises(RequestError, match="Is a variable of the shell not set"):
        absolute_output(output, HERE)


@pytest.mark.parametrize(
    "output",
    [
        ".",
        "./",
        "..",
        "../",
        "/",
        "//",
        "scores/..",
        "scores/../",
        "a/.",
        "file:///",
        "s3://",
        "s3:///",
    ],
)
def test_an_output_without_a_name_of_its_own_is_refused(output):
    with pytest.raises(RequestError, match=r"The output is '.*', which names no folder of its own"):
        absolute_output(output, HERE)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("scores", "/data/scores"),
        ("scores/", "/data/scores"),
        ("./scores", "/data/scores"),
        ("../scores", "/data/../scores"),
        ("..scores", "/data/..scores"),
        (" scores", "/data/ scores"),
        ("/scores", "/scores"),
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/scores/", "s3://bucket/scores/"),
    ],
)
def test_other_outputs_become_absolute(output, expected):
    assert absolute_output(output, HERE) == expected

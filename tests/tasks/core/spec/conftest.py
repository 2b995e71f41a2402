import pytest

from tasks.core.errors import RequestError
from tasks.core.spec.file import load_spec

SMALL = """\
name: small
problem: regression
data: {source: small.csv, target: y}
candidates:
  - estimator: sklearn.linear_model.Ridge
"""


@pytest.fixture
def path(tmp_path):
    """The file of a small spec."""
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


@pytest.fixture
def refuse(path):
    """Set a field of the small spec to what it may not be; return the one line that says so."""

    def load(override):
        with pytest.raises(RequestError) as refused:
            load_spec(path, [override])

        message = str(refused.value)
        assert "\n" not in message
        assert message.startswith((f"{path}: ", "--set "))
        return message

    return load

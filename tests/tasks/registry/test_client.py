"""The MLflow server is named by the environment, and its errors name it without its password."""

import pytest
from mlflow.exceptions import MlflowException

from tasks.core.errors import AfterfitError, RequestError
from tasks.registry.client import explain_errors, tracking_uri, version_url


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_server_the_remedy_is_named(monkeypatch, value):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    if value is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", value)
    with pytest.raises(RequestError, match=r'MLFLOW_TRACKING_URI is not set: run `eval "\$\(after'):
        tracking_uri()


def test_an_error_of_mlflow_becomes_one_line_without_the_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@127.0.0.1:1")

    @explain_errors
    def fail():
        raise MlflowException("no such thing\nand a traceback of many lines")

    with pytest.raises(AfterfitError) as caught:
        fail()
    assert str(caught.value) == "The MLflow server at http://127.0.0.1:1 failed: no such thing"
    assert caught.value.exit_status == 1


def test_other_errors_stay_as_they_are():
    @explain_errors
    def fail(sentence):
        raise RequestError(sentence)

    with pytest.raises(RequestError, match=r"^a sentence$"):
        fail("a sentence")


def test_the_page_of_a_version_is_shown_without_the_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@127.0.0.1:1")
    assert version_url("bike", 3) == "http://127.0.0.1:1/#/models/bike/versions/3"

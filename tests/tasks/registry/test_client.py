"""The MLflow server is named by the environment, and its errors name it without its password."""

import pytest
from mlflow.exceptions import MlflowException

from tasks.core.errors import AfterfitError, RequestError
from tasks.registry.client import connect, explain_errors, tracking_uri, use_registry, version_url


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_server_the_remedy_is_named(monkeypatch, value):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    if value is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", value)
    with pytest.raises(RequestError, match=r'MLFLOW_TRACKING_URI is not set: run `eval "\$\(after'):
        tracking_uri()


@pytest.mark.parametrize(
    "uri",
    [
        "http://ann:secret@127.0.0.1:1",
        "http://ann:se/secret@127.0.0.1:1",
        "https://secret@127.0.0.1:1",
        "https://127.0.0.1:1/?token=secret",
    ],
)
def test_the_address_of_a_server_holds_no_password(uri):
    """The commands take it out; elsewhere the variables that hold it are named."""
    words = r"\(https?://127\.0\.0\.1:1/?\) holds a secret.* MLFLOW_TRACKING_PASSWORD"
    with use_registry(uri), pytest.raises(RequestError, match=words) as refused:
        tracking_uri()
    assert "secret@" not in str(refused.value)
    assert "=secret" not in str(refused.value)


def test_a_login_is_given_to_the_server_and_to_nobody_else():
    with use_registry("http://127.0.0.1:1", "ann:secret"):
        assert connect().tracking_uri == "http://ann:secret@127.0.0.1:1"
        shown = [tracking_uri(), version_url("bike", 3)]
    with use_registry("http://127.0.0.1:1"):
        assert connect().tracking_uri == "http://127.0.0.1:1"
    assert shown == ["http://127.0.0.1:1", "http://127.0.0.1:1/#/models/bike/versions/3"]


@pytest.mark.parametrize(
    ("said", "first_line"),
    [
        ("no such thing\nand a traceback of many lines", "no such thing"),
        ("cannot reach http://ann:secret@h/api", "cannot reach http://h/api"),
        ("", ""),
    ],
)
def test_an_error_of_mlflow_becomes_one_line_without_a_password(monkeypatch, said, first_line):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://ann:secret@127.0.0.1:1/db")

    @explain_errors
    def fail():
        raise MlflowException(said)

    with pytest.raises(AfterfitError) as caught:
        fail()
    server = "postgresql://127.0.0.1:1/db"
    assert str(caught.value) == f"The MLflow server at {server} failed: {first_line}"
    assert caught.value.exit_status == 1


def test_other_errors_stay_as_they_are():
    @explain_errors
    def fail(sentence):
        raise RequestError(sentence)

    with pytest.raises(RequestError, match=r"^a sentence$"):
        fail("a sentence")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("bike", "bike"),
        ("it's a/b?c#d", "it%27s%20a%2Fb%3Fc%23d"),
        ("../../x", "..%2F..%2Fx"),
        ("é\x1b", "%C3%A9%1B"),
    ],
)
def test_the_page_of_a_version_is_that_of_its_name_whatever_it_holds(monkeypatch, name, path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert version_url(name, 3) == f"http://127.0.0.1:1/#/models/{path}/versions/3"

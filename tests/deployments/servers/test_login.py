"""The login of a private home: who can read it, and what is told of it to whom."""

import re

import pytest

from deployments.servers import embedded, local
from deployments.servers.choice import Servers
from deployments.servers.environment import environment
from deployments.servers.home import home
from deployments.servers.kinds import MLFLOW, PREFECT
from deployments.servers.links import write_links
from deployments.servers.login import LOGIN, drop_login, make_login, read_login
from deployments.servers.record import Record
from tasks.core.errors import AfterfitError, RequestError

BOTH = Servers("http://127.0.0.1:1/api", "http://127.0.0.1:1", "http://127.0.0.1:2", True, True)
OWN_MLFLOW = Servers(
    "http://127.0.0.1:1/api", "http://127.0.0.1:1", "https://ann:s3cret@team", True, False
)


@pytest.fixture
def folder(alone):
    """A home with its folders."""
    with embedded.lock(home()):
        return alone


@pytest.fixture
def private(folder):
    make_login(folder)
    return folder


def test_a_login_is_made_for_the_owner_alone_and_each_is_another(private):
    path = private / "servers" / "login"
    login = read_login(private)
    assert path.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"afterfit:[\w-]{43}", login)

    make_login(private)
    assert read_login(private) != login
    drop_login(private)
    assert read_login(private) == ""
    drop_login(private)  # there is none any more


@pytest.mark.parametrize("text", ["", "afterfit:", "afterfit:short", "root:" + "x" * 43])
def test_a_damaged_login_is_no_open_door(private, text):
    (private / "servers" / "login").write_text(text)
    with pytest.raises(AfterfitError, match=r"login is damaged: delete it"):
        read_login(private)


def test_the_servers_of_a_private_home_are_told_in_their_environment_alone(private, monkeypatch):
    monkeypatch.setenv(LOGIN, "somebody:else")
    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "somebody:else")
    login = read_login(private)
    told = PREFECT.environment(private, 1), MLFLOW.environment(private, 2)
    assert told[0]["PREFECT_SERVER_API_AUTH_STRING"] == login
    assert told[1][LOGIN] == login
    assert login not in PREFECT.arguments + MLFLOW.arguments

    drop_login(private)
    told = PREFECT.environment(private, 1), MLFLOW.environment(private, 2)
    assert "PREFECT_SERVER_API_AUTH_STRING" not in told[0]
    assert LOGIN not in told[0] | told[1]


def test_clients_are_told_the_login_of_embedded_servers_alone(private):
    login = read_login(private)
    told = environment(BOTH)
    names = ["PREFECT_API_AUTH_STRING", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"]
    assert [told[name] for name in names] == [login, *login.split(":")]

    told = environment(OWN_MLFLOW)
    assert [told[name] for name in names] == [login, "ann", "s3cret"]
    drop_login(private)
    assert not set(names) & set(environment(BOTH))


def test_the_links_hold_the_login_of_embedded_servers_alone_and_are_for_the_owner(private):
    login = read_login(private).replace(":", "%3A")
    page = write_links(OWN_MLFLOW)
    assert page.stat().st_mode & 0o777 == 0o600
    assert re.findall('href="(.*)"', page.read_text()) == [
        f"http://127.0.0.1:1/afterfit-entrance#{login}",
        "https://team",
    ]

    drop_login(private)
    write_links(BOTH)
    assert re.findall('href="(.*)"', page.read_text()) == [
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
    ]


def test_servers_of_somebody_elses_cannot_be_made_private(folder, serve, monkeypatch):
    with serve() as (port, _):
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        with pytest.raises(RequestError, match="there is none here to be private"):
            local.up(private=True)
    assert read_login(folder) == ""


@pytest.mark.parametrize(
    ("before", "asked", "after", "restarted"),
    [
        (False, True, True, True),
        (True, True, True, False),
        (True, None, True, False),
        (True, False, False, True),
        (False, False, False, False),
        (False, None, False, False),
    ],
)
def test_a_home_stays_private_until_that_is_taken_back(
    folder, monkeypatch, before, asked, after, restarted
):
    """Servers that run are stopped before the home is another: none may run that does not know."""
    stopped = []

    def stop(kinds, of):
        stopped.append(bool(read_login(of)))

    def start(kinds, of, timeouts):
        record = Record(1, 0.0, "here", "nonce", 1)
        return dict.fromkeys(kinds, record)

    if before:
        make_login(folder)
    login = read_login(folder)
    monkeypatch.setattr(embedded, "stop", stop)
    monkeypatch.setattr(embedded, "start", start)
    local.up(private=asked)
    assert bool(read_login(folder)) == after
    assert stopped == ([before] if restarted else [])
    assert restarted or read_login(folder) == login

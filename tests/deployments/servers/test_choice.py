"""The embedded server, named as `afterfit env` exports it, is no external one."""

import os
import socket

import pytest

from deployments.servers import embedded
from deployments.servers.choice import find_external
from deployments.servers.external import ExternalServer
from deployments.servers.home import home
from deployments.servers.kinds import PREFECT
from deployments.servers.record import Record, write_record


@pytest.fixture
def recorded(alone, low_port):
    """The record of a Prefect server that does not run."""
    record = Record(os.getpid(), 1.0, socket.gethostname(), "nonce", low_port())
    with embedded.lock(home()):
        write_record(alone / "servers" / "prefect.json", record)
    return record


def test_the_url_of_the_embedded_server_names_no_other(alone, recorded, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{recorded.port}/api/")
    assert find_external(PREFECT, alone) is None


def test_a_server_of_somebody_elses_on_the_port_of_ours_is_external(
    alone, recorded, monkeypatch, serve
):
    url = f"http://127.0.0.1:{recorded.port}/api"
    monkeypatch.setenv("PREFECT_API_URL", url)
    with serve(recorded.port):
        found = find_external(PREFECT, alone)

    assert found == ExternalServer(url, "PREFECT_API_URL")


@pytest.mark.usefixtures("recorded")
def test_another_url_is_external_whatever_the_record_says(alone, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://team/api")

    expected = ExternalServer("http://team/api", "PREFECT_API_URL")
    assert find_external(PREFECT, alone) == expected

"""The doors of the real servers: programs and the servers' own pages are let in, others are not.

Some of this is what `deployments.servers.apps` takes for granted of Prefect and MLflow.
"""

import http.client
import json
from urllib.parse import urlsplit

import pytest

EVIL = "http://evil.example"
AS_TEXT = {"Content-Type": "text/plain"}  # which a page may send without asking first
READS = {
    "prefect": ("POST", "/api/flows/filter"),
    "mlflow": ("POST", "/api/2.0/mlflow/registered-models/create"),
}


@pytest.fixture(params=["prefect", "mlflow"])
def door(request, servers):
    """The address of a server, and something to ask of it."""
    url = servers.prefect_ui_url if request.param == "prefect" else servers.mlflow_url
    return urlsplit(url).netloc, *READS[request.param]


def ask(address, method, path, body=None, **headers):
    """Return the status and the body of an answer."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    client = http.client.HTTPConnection(address, timeout=60)
    try:
        client.request(method, path, body, sent)
        response = client.getresponse()
        return response.status, response.read()
    finally:
        client.close()


def test_a_name_that_leads_here_opens_no_door(door):
    address, method, path = door
    port = address.partition(":")[2]
    for host in (f"evil.example:{port}", f"10.evil.example:{port}", "evil.example"):
        for asked in [(method, path, b"{}"), ("GET", "/"), ("GET", "/health")]:
            status, told = ask(address, *asked, Host=host)
            assert (status, told[:15]) == (403, b"The Host header")


def test_a_page_of_another_site_changes_nothing(door):
    address, method, path = door
    body = json.dumps({"name": "planted"}).encode()
    for origin in (EVIL, "null", "http://127.0.0.1:9", f"http://{address}.evil.example"):
        status, told = ask(address, method, path, body, Origin=origin, Content_Type="text/plain")
        assert (status, told[:6]) == (403, b"A page")
        status, _ = ask(
            address, "OPTIONS", path, Origin=origin, Access_Control_Request_Method="POST"
        )
        assert status == 403
        status, _ = ask(address, "GET", "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")
        assert status == 403


def test_programs_and_own_pages_are_served(door):
    address, method, path = door
    status, page = ask(address, "GET", "/", Sec_Fetch_Site="same-origin")
    assert (status, page[:15].lower()) == (200, b"<!doctype html>")

    asked = json.dumps({"limit": 1} if "filter" in path else {"name": ""}).encode()
    json_type = {"Content_Type": "application/json"}
    expected = 200 if "filter" in path else 400  # a name that cannot be: it got through
    for more in ({}, {"Origin": f"http://{address}"}, {"Sec_Fetch_Site": "same-origin"}):
        status, _ = ask(address, method, path, asked, **json_type, **more)
        assert status == expected


def test_the_pages_of_prefect_ask_the_server_that_they_came_from(servers):
    address = urlsplit(servers.prefect_ui_url).netloc
    status, told = ask(address, "GET", "/ui-settings", Sec_Fetch_Site="same-origin")
    settings = json.loads(told)
    assert (status, settings["api_url"], settings["auth"]) == (200, "/api", None)
    assert settings["available_uis"]


@pytest.mark.parametrize(
    ("headers", "let_in"),
    [
        ({}, True),
        ({"Origin": "{url}"}, True),
        ({"Origin": EVIL}, False),
        ({"Origin": "http://127.0.0.1:9"}, False),
        ({"Host": "evil.example"}, False),
    ],
)
@pytest.mark.parametrize("path", ["/api/events/in", "/api/events/out", "/api/logs/out"])
def test_websockets_of_prefect_are_no_side_door(servers, headers, let_in, path):
    url = servers.prefect_ui_url
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        **{name: value.format(url=url) for name, value in headers.items()},
    }
    address = urlsplit(url).netloc
    client = http.client.HTTPConnection(address, timeout=60)
    client.request("GET", path, headers={k.replace("_", "-"): v for k, v in upgrade.items()})
    assert client.getresponse().status == (101 if let_in else 403)
    client.close()


def test_the_services_of_prefect_run_behind_the_guard(servers):
    """Events pass through a service on their way to the database."""
    from prefect import flow
    from prefect.client.orchestration import get_client

    @flow
    def nothing():
        pass

    state = nothing(return_state=True)
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(state.state_details.flow_run_id)
    assert run.state.is_completed()

"""Who is let in to a server, and who is not, shown with an app that answers everybody."""

import asyncio
import base64

import pytest

from deployments.servers.entrance import ENTRANCE
from deployments.servers.guard import Guard

OURS = "127.0.0.1:4200"
LOGIN = "afterfit:a secret"
IN, FORBIDDEN, UNAUTHORIZED = 200, 403, 401
LINK = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


async def app(scope, receive, send):
    """Answer everybody."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": IN, "headers": []})
        await send({"type": "http.response.body", "body": b"the app"})
    elif scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await send({"type": "lifespan.startup.complete"})


def ask(kind, headers, method="POST", path="/", login=""):
    """Return what a guard sends to one who asks."""
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": kind, "path": path, "headers": pairs}
    if kind == "http":
        scope["method"] = method

    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        raise AssertionError

    asyncio.run(Guard(app, login)(scope, receive, send))
    return sent


def status(headers, **options):
    """Return the status of the answer to a request."""
    return ask("http", list(headers.items()), **options)[0]["status"]


def basic(login):
    return f"Basic {base64.b64encode(login.encode()).decode()}"


# The Host header


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:4200", IN),
        ("localhost:4200", IN),
        ("LocalHost:9999", IN),  # through a tunnel, of another port
        ("[::1]:4200", IN),
        ("localhost", IN),
        ("evil.example:4200", FORBIDDEN),
        ("evil.example", FORBIDDEN),
        ("127.0.0.1.evil.example:4200", FORBIDDEN),
        ("localhost.evil.example", FORBIDDEN),
        ("10.evil.example", FORBIDDEN),  # MLflow's own pattern for private networks lets this in
        ("192.168.0.1:4200", FORBIDDEN),
        ("0.0.0.0:4200", FORBIDDEN),
        ("evil.example@127.0.0.1:4200", FORBIDDEN),
        ("127.0.0.1:4200@evil.example", FORBIDDEN),
        ("127.0.0.1:", FORBIDDEN),
        ("127.0.0.1:4200\n", FORBIDDEN),
        ("", FORBIDDEN),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_only_names_of_loopback_are_hosts(host, expected, method):
    assert status({"host": host}, method=method) == expected


def test_there_must_be_one_host():
    assert status({}) == FORBIDDEN
    twice = ask("http", [("host", OURS), ("host", "evil.example")])
    assert twice[0]["status"] == FORBIDDEN


# Pages


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, IN),  # a program, no browser
        ({"origin": f"http://{OURS}"}, IN),
        ({"origin": f"http://{OURS}", "sec-fetch-site": "same-origin"}, IN),
        ({"origin": "http://evil.example"}, FORBIDDEN),
        ({"origin": "http://evil.example", "content-type": "text/plain"}, FORBIDDEN),
        ({"origin": "null"}, FORBIDDEN),
        ({"origin": ""}, FORBIDDEN),
        ({"origin": "http://127.0.0.1:8000"}, FORBIDDEN),  # somebody else's server
        ({"origin": "http://127.0.0.1"}, FORBIDDEN),
        ({"origin": "http://localhost:4200"}, FORBIDDEN),  # of ::1, that too
        ({"origin": f"https://{OURS}"}, FORBIDDEN),
        ({"origin": f"http://{OURS}.evil.example"}, FORBIDDEN),
        ({"sec-fetch-site": "same-origin"}, IN),
        ({"sec-fetch-site": "none"}, IN),
        ({"sec-fetch-site": "same-site"}, FORBIDDEN),
        ({"sec-fetch-site": "cross-site"}, FORBIDDEN),
        ({"sec-fetch-site": "cross-site", **LINK}, FORBIDDEN),  # a form
    ],
)
def test_only_programs_and_own_pages_may_change_anything(sent, expected):
    assert status({"host": OURS, **sent}) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"sec-fetch-site": "none", **LINK}, IN),  # an address that was typed
        ({"sec-fetch-site": "cross-site", **LINK}, IN),
        ({"sec-fetch-site": "cross-site", **LINK, "sec-fetch-dest": "iframe"}, FORBIDDEN),
        ({"sec-fetch-site": "cross-site", **LINK, "sec-fetch-dest": "object"}, FORBIDDEN),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, FORBIDDEN),
        ({"sec-fetch-site": "same-site", "sec-fetch-dest": "script"}, FORBIDDEN),
        ({"origin": "http://evil.example", **LINK}, FORBIDDEN),
    ],
)
def test_other_sites_may_link_to_a_page_but_not_show_or_read_it(sent, expected):
    assert status({"host": OURS, **sent}, method="GET") == expected


def test_other_sites_may_not_even_ask_whether_they_may():
    asked = {"host": OURS, "origin": "http://evil.example", "access-control-request-method": "POST"}
    assert status(asked, method="OPTIONS") == FORBIDDEN


@pytest.mark.parametrize(
    ("sent", "let_in"),
    [
        ([("host", OURS)], True),
        ([("host", OURS), ("origin", f"http://{OURS}")], True),
        ([("host", OURS), ("origin", "http://evil.example")], False),
        ([("host", OURS), ("origin", "http://127.0.0.1:8000")], False),
        ([("host", "evil.example:4200"), ("origin", "http://evil.example:4200")], False),
    ],
)
def test_websockets_are_held_to_the_same(sent, let_in):
    (answer,) = ask("websocket", sent)
    assert answer["type"] == ("websocket.accept" if let_in else "websocket.close")


def test_the_app_starts_and_ends_as_without_a_guard():
    (answer,) = ask("lifespan", [], login=LOGIN)
    assert answer == {"type": "lifespan.startup.complete"}


# The login


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"authorization": basic(LOGIN)}, IN),
        ({"authorization": basic(LOGIN).replace("Basic", "basic")}, IN),
        ({}, UNAUTHORIZED),
        ({"authorization": ""}, UNAUTHORIZED),
        ({"authorization": "Basic "}, UNAUTHORIZED),
        ({"authorization": "Basic é"}, UNAUTHORIZED),
        ({"authorization": basic("afterfit:another")}, UNAUTHORIZED),
        ({"authorization": basic(LOGIN)[:-1]}, UNAUTHORIZED),
        ({"authorization": basic(LOGIN).replace("Basic", "Bearer")}, UNAUTHORIZED),
        ({"authorization": basic(LOGIN), "origin": "http://evil.example"}, FORBIDDEN),
        ({"authorization": basic(LOGIN), "host": "evil.example"}, FORBIDDEN),
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/2.0/mlflow/runs/search", "/health/", "//health"])
def test_a_private_server_lets_in_who_has_the_login(sent, expected, path):
    assert status({"host": OURS, **sent}, path=path, login=LOGIN) == expected


def test_a_private_server_tells_browsers_to_ask_for_the_login():
    start, body = ask("http", [("host", OURS)], login=LOGIN)
    assert (b"www-authenticate", b'Basic realm="afterfit"') in start["headers"]
    assert body["body"] == b"Use `afterfit open` to sign in.\n"


def test_a_private_server_asks_for_no_login_where_it_tells_its_health_or_signs_in():
    assert status({"host": OURS}, method="GET", path="/health", login=LOGIN) == IN
    start, body = ask("http", [("host", OURS)], method="GET", path=ENTRANCE, login=LOGIN)
    assert start["status"] == IN
    assert b"location.hash" in body["body"]
    assert status({"host": "evil.example"}, path="/health", login=LOGIN) == FORBIDDEN
    assert status({"host": "evil.example"}, path=ENTRANCE, login=LOGIN) == FORBIDDEN


def test_a_websocket_needs_the_login_as_well():
    (answer,) = ask("websocket", [("host", OURS)], login=LOGIN)
    assert answer["type"] == "websocket.close"

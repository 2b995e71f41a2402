"""Who may speak to a server on loopback: programs of this machine, and the server's own pages.

Any page in a browser can send requests to any port of the machine that the browser runs on. The
name of its own site can be made to resolve to loopback as well (DNS rebinding); the browser then
takes the server for that site, and only the Host header tells.
"""

import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, MutableMapping
from hmac import compare_digest
from http import HTTPStatus
from typing import Any

from deployments.servers.entrance import ENTRANCE, PAGE

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")
HEALTH = "/health"
POLICY_VIOLATION = 1008  # the code with which a websocket is closed
TEXT, HTML = b"text/plain; charset=utf-8", b"text/html; charset=utf-8"


class Guard:
    """Hands to an app (ASGI) only what may speak to it, and answers the rest itself."""

    def __init__(self, app: App, login: str = "") -> None:
        """Take the app, and `user:password` where each request must have them."""
        self._app = app
        self._login = b64encode(login.encode())

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Hand a request to the app, or answer it."""
        if scope["type"] not in {"http", "websocket"}:  # the start and the end of the app
            await self._app(scope, receive, send)
            return

        if reason := reason_to_refuse(scope):
            await _refuse(scope, send, HTTPStatus.FORBIDDEN, reason)
        elif scope["path"] == ENTRANCE:
            await _answer(send, HTTPStatus.OK, PAGE, HTML)
        elif not self._is_let_in(scope):
            await _refuse(scope, send, HTTPStatus.UNAUTHORIZED, "Use `afterfit open` to sign in.")
        else:
            await self._app(scope, receive, send)

    def _is_let_in(self, scope: Message) -> bool:
        """Return whether a request has the login, or needs none."""
        if not self._login or scope["path"] == HEALTH:
            return True

        given = "".join(values_of(scope, b"authorization"))
        scheme, _, login = given.partition(" ")
        return scheme.lower() == "basic" and compare_digest(login.encode(), self._login)


def reason_to_refuse(scope: Message) -> str:
    """Return why a request may not come in, whoever sends it; an empty string if it may."""
    host = ",".join(values_of(scope, b"host")).lower()
    if not LOOPBACK.fullmatch(host):
        return "The Host header does not name this machine: write 127.0.0.1 in the address."

    if is_of_another_site(scope, host):
        return "A page of another site may not do this."
    return ""


def is_of_another_site(scope: Message, host: str) -> bool:
    """Return whether a page sends this that the server at `host` did not make.

    Browsers send Origin with whatever can change anything, and Sec-Fetch-Site with all else. One
    port is one site: that on the next may be somebody else's. Others may link to this one.
    """
    if origins := values_of(scope, b"origin"):
        return origins != [f"http://{host}"]

    site, mode, target = (
        ",".join(values_of(scope, b"sec-fetch-" + name)) for name in (b"site", b"mode", b"dest")
    )
    follows_a_link = (
        scope.get("method") in {"GET", "HEAD"} and mode == "navigate" and target == "document"
    )
    return site not in {"", "none", "same-origin"} and not follows_a_link


def values_of(scope: Message, name: bytes) -> list[str]:
    """Return the values of a header, which may be sent many times."""
    return [value.decode("latin-1") for header, value in scope["headers"] if header == name]


async def _refuse(scope: Message, send: Send, status: HTTPStatus, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason})
        return
    await _answer(send, status, f"{reason}\n".encode(), TEXT)


async def _answer(send: Send, status: HTTPStatus, body: bytes, kind: bytes) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-frame-options", b"DENY"),
    ]
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Basic realm="afterfit"'))

    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})

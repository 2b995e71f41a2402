"""The ports of this machine: free, taken, or held by a server that answers."""

import socket
import time

HOST = "127.0.0.1"
REQUEST_SECONDS = 3.0
SETTLE_SECONDS = 1.0


def is_listening(port: int) -> bool:
    """Return whether anybody listens on a port."""
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex((HOST, port)) == 0


def is_free(port: int) -> bool:
    """Return whether a server could listen on a port."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError:
            return False

    return not is_listening(port)  # macOS lets two servers bind one port


def await_free(port: int) -> None:
    """Wait a moment for the system to take a port back from a server that was killed."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not is_free(port) and time.monotonic() < deadline:
        time.sleep(0.02)


def is_healthy(port: int, path: str, seconds: float = REQUEST_SECONDS) -> bool:
    """Return whether a server answers 200 at its health path, asked directly, past any proxy."""
    # An HTTP library would cost more than the request.
    request = f"GET {path} HTTP/1.0\r\nHost: {HOST}:{port}\r\n\r\n"
    try:
        with (
            socket.create_connection((HOST, port), seconds) as client,
            client.makefile("rb") as response,
        ):
            client.sendall(request.encode())
            return b" 200 " in response.readline(64)
    except OSError:
        return False

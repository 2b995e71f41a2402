"""The servers that a person has named: in the environment, or in the active Prefect profile."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tasks.core.errors import AfterfitError

PROBE_SECONDS = 5.0


@dataclass(frozen=True)
class ExternalServer:
    """A server that is not ours, and where its URL was found."""

    url: str
    origin: str


def external_prefect() -> ExternalServer | None:
    """Find the Prefect API that a person works with."""
    return _from_environment("PREFECT_API_URL") or _from_profile("PREFECT_API_URL")


def external_mlflow() -> ExternalServer | None:
    """Find the MLflow server or store that a person works with."""
    return _from_environment("MLFLOW_TRACKING_URI")


def prefect_ui_url(api_url: str) -> str:
    """Say where the UI of a named Prefect server is, by the rule of Prefect itself.

    >>> prefect_ui_url("https://ann:secret@prefect.example.com/api")
    'https://prefect.example.com'
    >>> prefect_ui_url("https://api.prefect.cloud/api/accounts/1/workspaces/2")
    'https://app.prefect.cloud/account/1/workspace/2'
    """
    if named := _from_environment("PREFECT_UI_URL") or _from_profile("PREFECT_UI_URL"):
        return without_credentials(named.url)
    cloud = re.fullmatch(r"https://api\.(.+)/api/accounts/([^/]+)/workspaces/([^/]+)/?", api_url)
    if cloud:
        return "https://app.{}/account/{}/workspace/{}".format(*cloud.groups())
    return without_credentials(api_url).rstrip("/").removesuffix("/api")


def without_credentials(url: str) -> str:
    """Take user and password out of a URL, so that it can be shown.

    >>> without_credentials("https://ann:p@ss@mlflow.example.com/x")
    'https://mlflow.example.com/x'
    """
    return re.sub(r"(?<=://)[^/]*@", "", url)


def probe(title: str, named: ExternalServer) -> None:
    """Check that a named server answers; a store without HTTP has nothing to probe.

    Raises:
        AfterfitError: if it does not, with its URL and where that was found.
    """
    if reason := complaint(title, named.url):
        raise AfterfitError(
            f"{title} at {without_credentials(named.url)}, named by {named.origin}, does not answer ({reason}); "
            "start it, or take that setting away to use the embedded server."
        )


def complaint(title: str, url: str) -> str:
    """Ask a server for its health and return what is wrong with it; nothing if it is there."""
    import http.client  # noqa: PLC0415 - these take 25 ms, which only a named server needs
    import ssl  # noqa: PLC0415
    import urllib.error  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    if title == "MLflow" and not url.startswith(("http://", "https://")):
        return ""
    health = f"{without_credentials(url).rstrip('/')}/health"
    try:
        with urllib.request.urlopen(health, timeout=PROBE_SECONDS):  # noqa: S310 - the user's own URL
            return ""
    except urllib.error.HTTPError as error:
        with error:
            # A login page or a gateway without a health route is an answer; a Prefect API without
            # one is a wrong URL.
            wrong = error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR or (
                error.code == http.HTTPStatus.NOT_FOUND
                and title == "Prefect"
                and "/workspaces/" not in url
            )
            return f"status {error.code} from {error.url}" if wrong else ""
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        # Which certificates to trust is the client's own setting.
        return "" if isinstance(reason, ssl.SSLCertVerificationError) else str(reason)


def _from_environment(variable: str) -> ExternalServer | None:
    value = os.environ.get(variable, "").strip()
    return ExternalServer(value, variable) if value else None


def _from_profile(setting: str) -> ExternalServer | None:
    """Read a setting from the active Prefect profile, as Prefect does, without its import of two
    seconds.
    """
    folder = Path(os.environ.get("PREFECT_HOME") or "~/.prefect")
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or folder / "profiles.toml").expanduser()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        active = os.environ.get("PREFECT_PROFILE") or document["active"]
        value = document["profiles"][active][setting]
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        return None  # Prefect too goes on without a profile that it cannot read
    return (
        ExternalServer(value.strip(), f"the Prefect profile {active!r}")
        if isinstance(value, str) and value.strip()
        else None
    )

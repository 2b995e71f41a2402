"""The servers that a person has named: in the environment, or in the active Prefect profile."""

import os
import re
import tomllib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from tasks.core.errors import AfterfitError
from tasks.core.storage.secrets import without_secrets

PROBE_SECONDS = 5.0


@dataclass(frozen=True)
class ExternalServer:
    """A server that is not ours, and where its URL was found."""

    url: str
    origin: str


def external_prefect() -> ExternalServer | None:
    """Return the Prefect API that a person has named, or None."""
    return _from_environment("PREFECT_API_URL") or _from_profile("PREFECT_API_URL")


def external_mlflow() -> ExternalServer | None:
    """Return the MLflow server or store that a person has named, or None."""
    return _from_environment("MLFLOW_TRACKING_URI")


def prefect_ui_url(api_url: str) -> str:
    """Return where the UI of an external Prefect server is, by Prefect's own rule.

    >>> prefect_ui_url("https://ann:secret@prefect.example.com/api")
    'https://prefect.example.com'
    >>> prefect_ui_url("https://api.prefect.cloud/api/accounts/1/workspaces/2")
    'https://app.prefect.cloud/account/1/workspace/2'
    """
    named = _from_environment("PREFECT_UI_URL") or _from_profile("PREFECT_UI_URL")
    if named:
        return without_secrets(named.url)

    cloud = re.fullmatch(r"https://api\.(.+)/api/accounts/([^/]+)/workspaces/([^/]+)/?", api_url)
    if cloud:
        host, account, workspace = cloud.groups()
        return f"https://app.{host}/account/{account}/workspace/{workspace}"

    return without_secrets(api_url).rstrip("/").removesuffix("/api")


def probe(title: str, server: ExternalServer) -> None:
    """Check that an external server answers; a store without HTTP has nothing to probe.

    Raises:
        AfterfitError: it does not answer; with its URL and where that was found.
    """
    if reason := complaint(title, server.url):
        raise AfterfitError(
            f"{title} at {without_secrets(server.url)}, named by {server.origin}, "
            f"does not answer ({reason}); "
            "start it, or take that setting away to use the embedded server."
        )


def complaint(title: str, url: str, seconds: float = PROBE_SECONDS) -> str:
    """Ask a server for its health, and return what is wrong; an empty string if all is well."""
    # These take 25 ms, which only an external server needs.
    import http.client  # noqa: PLC0415 - see above
    import ssl  # noqa: PLC0415 - see above
    import urllib.error  # noqa: PLC0415 - see above
    import urllib.request  # noqa: PLC0415 - see above

    if title == "MLflow" and not url.startswith(("http://", "https://")):
        return ""

    health = f"{without_secrets(url).rstrip('/')}/health"
    try:
        with urllib.request.urlopen(health, timeout=seconds):  # noqa: S310 - the user's own URL
            return ""
    except urllib.error.HTTPError as error:
        with error:
            wrong = _is_wrong_status(title, url, error.code)
            return f"status {error.code} from {error.url}" if wrong else ""
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        # Which certificates to trust is the client's own setting.
        return "" if isinstance(reason, ssl.SSLCertVerificationError) else str(reason)


def _is_wrong_status(title: str, url: str, status: int) -> bool:
    """Return whether the status of a health check shows a broken server or a wrong URL.

    A login page or a gateway without a health route is an answer; a Prefect API without one is a
    wrong URL.
    """
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return True
    is_prefect_server = title == "Prefect" and "/workspaces/" not in url
    return is_prefect_server and status == HTTPStatus.NOT_FOUND


def _from_environment(variable: str) -> ExternalServer | None:
    value = os.environ.get(variable, "").strip()
    if not value:
        return None
    return ExternalServer(value, variable)


def _from_profile(setting: str) -> ExternalServer | None:
    """Read a setting from the active Prefect profile, without Prefect's import of two seconds."""
    folder = Path(os.environ.get("PREFECT_HOME") or "~/.prefect")
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or folder / "profiles.toml").expanduser()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        active = os.environ.get("PREFECT_PROFILE") or document["active"]
        value = document["profiles"][active][setting]
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        return None  # Prefect too goes on without a profile that it cannot read

    if not isinstance(value, str) or not value.strip():
        return None
    return ExternalServer(value.strip(), f"the Prefect profile {active!r}")

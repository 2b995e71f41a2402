"""The login of a private home: the servers ask for it, and the home's owner alone can read it."""

import re
import secrets
from pathlib import Path

from deployments.servers.record import write_for_owner
from tasks.core.errors import AfterfitError

LOGIN = "AFTERFIT_LOGIN"  # the variable by which the MLflow server is told
USER = "afterfit"


def read_login(folder: Path) -> str:
    """Return `user:password`; an empty string if the home is not private.

    Raises:
        AfterfitError: it cannot be read.
    """
    path = _path(folder)
    try:
        login = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise AfterfitError(f"The login of the servers cannot be read: {error}.") from error

    if not re.fullmatch(rf"{USER}:[\w-]{{32,}}", login, re.ASCII):
        raise AfterfitError(
            f"{path} is damaged: delete it, and `afterfit up --private` makes another login."
        )
    return login


def make_login(folder: Path) -> None:
    """Make a home private: servers that are started from now on ask for a login."""
    write_for_owner(_path(folder), f"{USER}:{secrets.token_urlsafe(32)}")


def drop_login(folder: Path) -> None:
    """Make a home private no longer."""
    _path(folder).unlink(missing_ok=True)


def _path(folder: Path) -> Path:
    return folder / "servers" / "login"

"""The aliases of a model: promote, roll back."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow import MlflowClient

from tasks.core.errors import AfterfitError, GateError, RequestError
from tasks.core.storage.names import lock_name
from tasks.core.storage.own_folders import own_folder
from tasks.registry.client import connect, explain_errors
from tasks.registry.versions import CHALLENGER, CHAMPION, PREVIOUS, find_alias, what_there_is


@explain_errors
def promote(name: str, version: int, expected: int | None, flow_run: str) -> int | None:
    """Make a version the champion, and return the version that it replaced.

    Where there is no champion, None is expected and None is replaced. To promote the champion again
    replaces None, too: it completes a run that died before it wrote its record.

    Raises:
        GateError: the champion is not the expected one: somebody else promoted in the meantime.
        AfterfitError: somebody moved the alias at the same moment, from another home.
    """
    client = connect()
    with _alias_lock(name):
        champion = find_alias(name)
        current = champion.version if champion else None
        if current not in {expected, version}:
            now = f"the champion is version {current}" if current else "there is no champion"
            then = f"version {expected}" if expected else "none"
            raise GateError(
                f"{name}: {now} now, and {then} when the challenger was judged: run again."
            )

        replaced = current if current != version else None
        _set_champion(client, name, version, replaced)
        _remove_challenger(client, name, version)
        record = {"replaced": replaced, "flow_run": flow_run}
        client.set_model_version_tag(name, str(version), "promoted", json.dumps(record))

    return replaced


@explain_errors
def rollback(name: str, flow_run: str) -> tuple[int, int]:
    """Make the previous version the champion again, and return (restored, replaced).

    Done twice, it undoes itself.

    Raises:
        RequestError: there is no previous version.
        AfterfitError: somebody moved the alias at the same moment, from another home.
    """
    client = connect()
    with _alias_lock(name):
        champion = find_alias(name)
        previous = find_alias(name, PREVIOUS)
        if champion is None or previous is None or champion.version == previous.version:
            raise RequestError(
                f"{name!r} has no version before its champion to go back to{what_there_is(name)}"
            )

        client.set_registered_model_alias(name, CHAMPION, str(previous.version))
        client.set_registered_model_alias(name, PREVIOUS, str(champion.version))
        _read_back(name, previous.version)
        record = {"restored": previous.version, "flow_run": flow_run}
        client.set_model_version_tag(name, str(champion.version), "rolled_back", json.dumps(record))

    return previous.version, champion.version


def _set_champion(client: MlflowClient, name: str, version: int, replaced: int | None) -> None:
    """Set `previous`, where a version is replaced, then `champion`, and read it back."""
    if replaced is not None:
        client.set_registered_model_alias(name, PREVIOUS, str(replaced))
    client.set_registered_model_alias(name, CHAMPION, str(version))
    _read_back(name, version)


def _remove_challenger(client: MlflowClient, name: str, version: int) -> None:
    """Remove the alias `challenger` from a version that was promoted."""
    challenger = find_alias(name, CHALLENGER)
    if challenger and challenger.version == version:
        client.delete_registered_model_alias(name, CHALLENGER)


def _read_back(name: str, version: int) -> None:
    """Check that the champion is the version it was set to.

    MLflow has no compare-and-set: of two homes on one server, the last one to write wins.
    """
    champion = find_alias(name)
    if champion is None or champion.version != version:
        raise AfterfitError(
            f"{name}: the champion was set to version {version}, "
            "but somebody set it otherwise: look again."
        )


@contextmanager
def _alias_lock(name: str) -> Iterator[None]:
    """Let one process of this home at a time move the aliases of a model."""
    path = own_folder("locks") / lock_name(name)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise AfterfitError(f"{str(path)!r} cannot be locked: {error.strerror}.") from error

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

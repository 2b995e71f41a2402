"""The aliases of a model: promote, roll back."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.core.errors import AfterfitError, GateError, RequestError
from tasks.core.storage.home import home_folder
from tasks.registry.client import answering, connect
from tasks.registry.versions import CHALLENGER, CHAMPION, PREVIOUS, find_alias, known_models


@answering
def promote(name: str, version: int, expected: int | None, flow_run: str) -> int | None:
    """Make a version the champion, if the champion still is the expected one; give the version it
    replaced.

    Raises:
        GateError: somebody else promoted in the meantime.
    """
    client = connect()
    with _locked(name):
        champion = find_alias(name)
        found = champion.version if champion else None
        if found not in {expected, version}:
            raise GateError(
                f"{name}: the champion is version {found}, the verdict was about version {expected}: run again."
            )
        if found not in {None, version}:
            client.set_registered_model_alias(name, PREVIOUS, str(found))
        client.set_registered_model_alias(name, CHAMPION, str(version))
        _read_back(name, version)
        if (challenger := find_alias(name, CHALLENGER)) and challenger.version == version:
            client.delete_registered_model_alias(name, CHALLENGER)
        replaced = (
            found if found != version else None
        )  # set already by a run that died before its record
        record = {"replaced": replaced, "flow_run": flow_run}
        client.set_model_version_tag(name, str(version), "promoted", json.dumps(record))
    return replaced


@answering
def rollback(name: str, flow_run: str) -> tuple[int, int]:
    """Make the previous version the champion again; give (restored, replaced). Done twice, it
    undoes itself.

    Raises:
        RequestError: there is no version before.
    """
    client = connect()
    with _locked(name):
        champion, previous = find_alias(name), find_alias(name, PREVIOUS)
        if champion is None or previous is None or champion.version == previous.version:
            raise RequestError(
                f"{name!r} has no version before its champion to go back to{known_models(name)}"
            )
        client.set_registered_model_alias(name, CHAMPION, str(previous.version))
        client.set_registered_model_alias(name, PREVIOUS, str(champion.version))
        _read_back(name, previous.version)
        record = {"restored": previous.version, "flow_run": flow_run}
        client.set_model_version_tag(name, str(champion.version), "rolled_back", json.dumps(record))
    return previous.version, champion.version


def _read_back(name: str, version: int) -> None:
    champion = find_alias(name)
    if champion is None or champion.version != version:
        raise AfterfitError(
            f"{name}: the champion was set to version {version}, but somebody set it otherwise: look again."
        )


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Let one process of this home at a time move the aliases of a model."""
    folder = home_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

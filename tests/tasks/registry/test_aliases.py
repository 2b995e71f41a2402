"""Promote and roll back: compare, set, read back, record."""

import fcntl
import json
import os
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tasks.core.errors import AfterfitError, GateError, RequestError
from tasks.core.storage.names import lock_name
from tasks.registry.aliases import promote, rollback

LOCK_SECONDS = 0.2  # what two threads are given to come to the lock


def record(client, version, tag="promoted"):
    tags = client.get_model_version("bike", str(version)).tags
    return json.loads(tags.get(tag, "null"))


def everything(client):
    """All aliases, and the tags of all versions."""
    versions = client.search_model_versions("name='bike'")
    tags = {version.version: version.tags for version in versions}
    return client.get_registered_model("bike").aliases, tags


@contextmanager
def locked(name):
    """Hold the lock of a model's aliases, as another process of this home does."""
    folder = Path(os.environ["AFTERFIT_HOME"]) / "locks"
    folder.mkdir()
    with (folder / lock_name(name)).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def set_by_another(monkeypatch, version):
    """Let somebody move the champion right after we have set it, before we read it back."""
    set_alias = MlflowClient.set_registered_model_alias

    def set_and_lose(client, name, alias, ours):
        set_alias(client, name, alias, ours)
        if alias == "champion":
            set_alias(client, name, alias, version)

    monkeypatch.setattr(MlflowClient, "set_registered_model_alias", set_and_lose)


def test_the_first_champion_replaces_none(client, add_version, aliases):
    add_version()
    assert promote("bike", 1, None, "run-a") is None
    assert aliases() == {"champion": 1}
    assert record(client, 1) == {"replaced": None, "flow_run": "run-a"}


@pytest.mark.usefixtures("three")
def test_a_promotion_moves_the_champion_and_records_whom_it_replaced(client, aliases):
    client.set_registered_model_alias("bike", "challenger", "2")

    assert promote("bike", 2, 1, "run-b") == 1
    assert aliases() == {"champion": 2, "previous": 1}
    assert record(client, 2) == {"replaced": 1, "flow_run": "run-b"}


@pytest.mark.usefixtures("three")
def test_a_challenger_that_is_another_version_stays(client, aliases):
    client.set_registered_model_alias("bike", "challenger", "3")
    promote("bike", 2, 1, "")
    assert aliases() == {"champion": 2, "previous": 1, "challenger": 3}


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("expected", [None, 3])
def test_a_champion_that_is_not_the_expected_one_stays_and_nothing_changes(client, expected):
    before = everything(client)
    with pytest.raises(
        GateError, match=f"champion is version 1 now, and .*{expected or 'none'} when .*: run again"
    ):
        promote("bike", 2, expected, "")

    assert everything(client) == before


def test_a_champion_that_was_taken_away_is_not_the_expected_one(client, add_version):
    add_version()
    before = everything(client)
    with pytest.raises(GateError, match="there is no champion now, and version "):
        promote("bike", 1, 7, "")

    assert everything(client) == before


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("expected", [1, 2])
def test_a_second_promotion_of_the_same_version_moves_nothing(aliases, expected):
    """Whether it knows of the first one or not."""
    promote("bike", 2, 1, "")
    assert aliases() == {"champion": 2, "previous": 1}

    assert promote("bike", 2, expected, "") is None
    assert aliases() == {"champion": 2, "previous": 1}


@pytest.mark.usefixtures("three")
def test_a_promotion_that_died_before_its_record_is_completed_by_the_next(client, aliases):
    client.set_registered_model_alias("bike", "previous", "1")
    client.set_registered_model_alias("bike", "champion", "2")
    client.set_registered_model_alias("bike", "challenger", "2")

    assert promote("bike", 2, 1, "run-c") is None
    assert aliases() == {"champion": 2, "previous": 1}
    assert record(client, 2) == {"replaced": None, "flow_run": "run-c"}


@pytest.mark.usefixtures("three")
def test_of_two_promotions_at_once_exactly_one_wins(aliases):
    """Both expect the first champion, and wait for the lock; the second to get it is refused."""
    with ThreadPoolExecutor() as pool:
        with locked("bike"):
            calls = [pool.submit(promote, "bike", version, 1, "") for version in (2, 3)]
            done, _ = wait(calls, LOCK_SECONDS)
            assert done == set()
            assert aliases() == {"champion": 1}
        second, third = [call.exception() for call in calls]

    winner = 2 if second is None else 3
    loser = third if second is None else second
    assert None in (second, third)
    assert isinstance(loser, GateError)
    assert aliases() == {"champion": winner, "previous": 1}


@pytest.mark.usefixtures("three")
def test_a_promotion_waits_for_no_other_model(add_version, aliases):
    add_version("other")
    with locked("bike"):
        promote("other", 1, None, "")

    assert aliases("other") == {"champion": 1}


@pytest.mark.usefixtures("three")
def test_a_champion_that_somebody_else_sets_in_between_is_an_error(client, monkeypatch):
    """Another home has another lock: what was set is read back, and there is no record of it."""
    set_by_another(monkeypatch, "3")
    with pytest.raises(AfterfitError, match="set to version 2, but somebody set it otherwise"):
        promote("bike", 2, 1, "")

    assert record(client, 2) is None


@pytest.mark.usefixtures("three")
def test_an_unknown_version_does_not_become_the_champion(aliases):
    with pytest.raises(AfterfitError, match=r"MLflow server at sqlite:.* failed: .*version=9"):
        promote("bike", 9, 1, "")

    assert aliases()["champion"] == 1


@pytest.mark.usefixtures("three")
def test_a_rollback_restores_and_a_second_one_undoes_it(client, aliases):
    promote("bike", 2, 1, "")
    assert rollback("bike", "run-d") == (1, 2)
    assert aliases() == {"champion": 1, "previous": 2}
    assert record(client, 2, "rolled_back") == {"restored": 1, "flow_run": "run-d"}

    assert rollback("bike", "run-e") == (2, 1)
    assert aliases() == {"champion": 2, "previous": 1}
    assert record(client, 1, "rolled_back") == {"restored": 2, "flow_run": "run-e"}


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("previous", [None, "1"], ids=["none", "the champion itself"])
def test_without_a_version_before_there_is_nothing_to_roll_back_to(client, previous):
    if previous:
        client.set_registered_model_alias("bike", "previous", previous)
    before = everything(client)
    with pytest.raises(RequestError, match=r"'bike' has no version before .* newest version is 3"):
        rollback("bike", "")

    assert everything(client) == before


@pytest.mark.usefixtures("client")
def test_a_rollback_of_an_unknown_model_says_what_there_is():
    with pytest.raises(RequestError, match=r"'bike' has no version .*; no model is registered yet"):
        rollback("bike", "")


@pytest.mark.usefixtures("three")
def test_a_rollback_that_somebody_else_undoes_in_between_is_an_error(client, monkeypatch):
    promote("bike", 2, 1, "")
    set_by_another(monkeypatch, "3")
    with pytest.raises(AfterfitError, match="set to version 1, but somebody set it otherwise"):
        rollback("bike", "")

    assert record(client, 2, "rolled_back") is None

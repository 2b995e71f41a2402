"""Dask's settings and the environment of the process, while workers start and afterwards."""

import copy
import os

import dask
import pytest

from tasks.runner.starting import SETTINGS, StartingWorkers


@pytest.fixture
def starting(monkeypatch):
    monkeypatch.setenv("MKL_NUM_THREADS", "4")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return StartingWorkers()


def now():
    return copy.deepcopy(dask.config.config), dict(os.environ)


def settings():
    return [dask.config.get(name) for name in SETTINGS]


def test_settings_hold_until_the_last_of_those_that_overlap_has_started(starting):
    before = now()
    starting.__enter__()
    starting.__enter__()
    assert settings() == [False, False, []]
    starting.__exit__()
    assert settings() == [False, False, []]
    starting.__exit__()
    assert now() == before


def test_variables_that_dask_sets_are_put_back_and_those_of_the_user_are_left(starting):
    before = now()
    with starting:
        os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "6640"}
        assert starting.variable_of_user("OMP_NUM_THREADS") is None
        assert starting.variable_of_user("MKL_NUM_THREADS") == "4"
    assert now() == before
    assert starting.variable_of_user("MKL_NUM_THREADS") == "4"


def test_what_fails_as_it_starts_leaves_nothing_either(starting):
    def fail():
        with starting:
            os.environ["OMP_NUM_THREADS"] = "1"
            raise OSError("no luck")

    before = now()
    with pytest.raises(OSError, match="no luck"):
        fail()
    assert now() == before

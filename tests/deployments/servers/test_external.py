"""The servers that a person has named are found as Prefect finds them, and asked for health."""

import socket

import pytest

from deployments.servers.external import ExternalServer, complaint, external_prefect

PROFILES = """
active = "work"
[profiles.work]
PREFECT_API_URL = "http://work:4200/api"
[profiles.other]
PREFECT_API_URL = "http://other:4200/api"
[profiles.bare]
PREFECT_LOGGING_LEVEL = "DEBUG"
[profiles.odd]
PREFECT_API_URL = 7
"""
WORK = ExternalServer("http://work:4200/api", "the Prefect profile 'work'")
OTHER = ExternalServer("http://other:4200/api", "the Prefect profile 'other'")


@pytest.mark.parametrize(
    ("text", "profile", "expected"),
    [
        (PROFILES, None, WORK),
        (PROFILES, "other", OTHER),
        (PROFILES, "bare", None),
        (PROFILES, "odd", None),
        (PROFILES, "missing", None),
        (PROFILES, "", WORK),
        ("active = [", None, None),
        ("active = 'work'", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_the_active_profile_is_read_as_prefect_reads_it(
    tmp_path, monkeypatch, text, profile, expected
):
    if profile is not None:
        monkeypatch.setenv("PREFECT_PROFILE", profile)
    if text is not None:
        (tmp_path / "profiles.toml").write_text(text)

    assert external_prefect() == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PREFECT_PROFILES_PATH", ".prefect/profiles.toml"),
        ("PREFECT_HOME", ".prefect"),
        ("HOME", ""),
    ],
)
def test_the_profiles_are_looked_for_where_prefect_keeps_them(
    tmp_path, monkeypatch, variable, value
):
    (tmp_path / ".prefect").mkdir()
    (tmp_path / ".prefect" / "profiles.toml").write_text(PROFILES)
    monkeypatch.delenv("PREFECT_PROFILES_PATH")
    monkeypatch.setenv(variable, str(tmp_path / value))

    assert external_prefect() == WORK


def test_the_environment_goes_before_the_profile(tmp_path, monkeypatch):
    (tmp_path / "profiles.toml").write_text(PROFILES)
    monkeypatch.setenv("PREFECT_API_URL", "http://mine/api")

    assert external_prefect() == ExternalServer("http://mine/api", "PREFECT_API_URL")


def test_a_prefect_url_without_the_api_is_refused(serve):
    """A gateway before MLflow may have no health route; Prefect's API always has one."""
    with serve(known=()) as (port, _):
        url = f"http://127.0.0.1:{port}"
        assert complaint("Prefect", url) == f"status 404 from {url}/health"
        assert complaint("MLflow", url) == ""


def test_a_server_that_accepts_and_says_nothing_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        reason = complaint("Prefect", f"http://127.0.0.1:{port}/api", seconds=0.1)

    assert "timed out" in reason

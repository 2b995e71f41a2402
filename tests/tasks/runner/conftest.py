import pytest


@pytest.fixture(scope="session", autouse=True)
def _quick_ends(no_heartbeats):
    """Let every flow of these tests end without its second of waiting."""

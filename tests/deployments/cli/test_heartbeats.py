"""Heartbeats of the flows that a command runs."""

import pytest
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from deployments.cli.heartbeats import without_heartbeats


@pytest.mark.parametrize(
    ("chosen", "used"), [({}, None), ({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: 45}, 45)]
)
def test_a_flow_sends_heartbeats_only_if_the_user_has_set_how_often(chosen, used):
    with temporary_settings(chosen):
        before = PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value()
        with without_heartbeats():
            assert PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value() == used
        assert PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value() == before

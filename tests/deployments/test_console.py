"""What a command does around its flow."""

import pytest
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from deployments.console import without_heartbeats


@pytest.mark.parametrize(("chosen", "used"), [({}, None), ({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: 45}, 45)])
def test_a_flow_sends_heartbeats_only_if_the_user_has_set_how_often(chosen, used):
    with temporary_settings(chosen), without_heartbeats():
        assert PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value() == used
    assert PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value() is not None

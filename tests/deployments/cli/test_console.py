"""What a command does around its flow."""

import pytest
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from deployments.cli.console import without_heartbeats
from deployments.cli.main import _status


@pytest.mark.parametrize(
    ("chosen", "used"), [({}, None), ({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: 45}, 45)]
)
def test_a_flow_sends_heartbeats_only_if_the_user_has_set_how_often(chosen, used):
    with temporary_settings(chosen):
        before = PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value()
        with without_heartbeats():
            assert PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value() == used
        assert PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value() == before


def test_an_error_of_a_stores_own_library_is_told_in_one_sentence(monkeypatch, capsys):
    def fail(_):
        raise RuntimeError("Unable to locate\ncredentials.")

    monkeypatch.setattr("tasks.core.output.verify.verify_output", fail)
    assert _status(["verify", "s3://bucket/scores"]) == 1
    assert capsys.readouterr().err == (
        "afterfit: RuntimeError: Unable to locate credentials. Use --verbose to see where.\n"
    )
    with pytest.raises(RuntimeError):
        _status(["verify", "s3://bucket/scores", "--verbose"])

"""The commands of the registry, against real servers."""

import pytest

from tasks.registry.client import connect

TRAIN = {"model", "version", "alias", "promoted", "model_reused", "verdict", "failed", "notes"}
DUMMY = "candidates=[{estimator: sklearn.dummy.DummyRegressor}]"


@pytest.mark.usefixtures("trained")
def test_a_refused_challenger_is_promoted_only_by_force_and_rolled_back(
    tmp_path, write_sales, answer_of, afterfit, assert_one_sentence
):
    """A refusal ends with 3; --force promotes all the same, and `rollback` takes it back."""
    train = ("train", write_sales(tmp_path), "--set", "name=cli-refused")
    answer_of(*train)
    document = answer_of(*train, "--set", DUMMY, exit_status=3)
    assert document.keys() == TRAIN
    assert document["version"] == 2
    assert document["alias"] == "challenger"
    assert document["promoted"] is False
    assert document["verdict"]["passed"] is False

    client = connect()  # anybody can set tags and aliases: what the files say decides
    client.set_model_version_tag("cli-refused", "2", "verdict", "passed")
    client.set_registered_model_alias("cli-refused", "previous", "2")
    back = afterfit("rollback", "cli-refused")
    assert_one_sentence(back, 3, "cli-refused version 2 is set as the one before, but was refused")
    client.delete_registered_model_alias("cli-refused", "previous")

    unforced = afterfit("promote", "cli-refused", 2)
    words = (
        "cli-refused version 2 was refused by its gates, or judged as another model: "
        "add --force to promote it all the same"
    )
    assert_one_sentence(unforced, 3, f"afterfit: {words}.\n")
    forced = answer_of("promote", "cli-refused", 2, "--force")
    assert forced == {"model": "cli-refused", "version": 2, "replaced": 1}
    back = answer_of("rollback", "cli-refused")
    assert back == {"model": "cli-refused", "version": 1, "replaced": 2}

    listed = answer_of("models")
    assert {
        "name": "cli-refused",
        "version": 1,
        "aliases": {"champion": 1, "previous": 2},
    } in listed["models"]

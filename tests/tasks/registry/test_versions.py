"""Versions are found by alias, number or training key; a wrong name is told what there is."""

import pytest

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.model.version import ModelVersion
from tasks.registry.versions import (
    ListedModel,
    find_alias,
    find_trained,
    find_version,
    list_models,
    resolve,
)

KEY = "5f" * 32
# MLflow allows all but `/` and `:`; its filter strings know no way to quote some of these.
ODD_NAMES = ["it's", 'say "bike"', 'it\'s "bike"', "a`b", "50%", "b_ke", "a and name='bike'", "é"]


@pytest.fixture
def bike(client, add_version):
    """The model `bike`: version 1 is its champion, version 2 its challenger."""
    add_version("bike", digest="d1", verdict="passed", promoted="{}")
    add_version("bike", digest="d2", verdict="refused", judged_against="1")
    client.set_registered_model_alias("bike", "champion", "1")
    client.set_registered_model_alias("bike", "challenger", "2")


FIRST = ModelVersion("bike", 1, "d1", promoted=True, aliases=("champion",))
SECOND = ModelVersion("bike", 2, "d2", aliases=("challenger",))


@pytest.mark.usefixtures("bike")
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("bike", FIRST),
        ("bike@champion", FIRST),
        ("bike@challenger", SECOND),
        ("bike/1", FIRST),
        ("bike/2", SECOND),
        ("bike/02", SECOND),
        ("bike@latest", SECOND),  # an alias that MLflow has for every model
    ],
)
def test_a_name_is_resolved_to_one_version_with_what_its_tags_say(model, expected):
    assert resolve(model) == expected


@pytest.mark.usefixtures("bike")
@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("car", "There is no alias 'champion' of a model 'car'; registered are bike, train."),
        ("car@next", "There is no alias 'next' of a model 'car'; registered are bike, train."),
        ("car/1", "There is no version 1 of 'car'; registered are bike, train."),
        ("bike@next", "There is no alias 'next' of a model 'bike'; its newest version is 2."),
        ("bike/3", "There is no version 3 of 'bike'; its newest version is 2."),
        ("train", "There is no alias 'champion' of a model 'train'; its newest version is None."),
        ("a:b", "There is no alias 'champion' of a model 'a:b'; registered are bike, train."),
        ("", "There is no alias 'champion' of a model ''; registered are bike, train."),
        ("bike/two", "'bike/two' is no model: write name, name@alias or name/version."),
        ("bike/", "'bike/' is no model: write name, name@alias or name/version."),
        ("bike@", "'bike@' is no model: write name, name@alias or name/version."),
        ("bike@/1", "'bike@/1' is no model: write name, name@alias or name/version."),
        ("bike/0", "There is no version 0 of 'bike'; its newest version is 2."),
        ("bike/-1", "'bike/-1' is no model: write name, name@alias or name/version."),
        ("bike/1/2", "'bike/1/2' is no model: write name, name@alias or name/version."),
        ("bike/../1", "'bike/../1' is no model: write name, name@alias or name/version."),
        (
            "bike/1234567890",
            "'bike/1234567890' is no model: write name, name@alias or name/version.",
        ),
        (
            "bike@champion/1",
            "'bike@champion/1' is no model: write name, name@alias or name/version.",
        ),
    ],
)
def test_an_unknown_name_is_told_what_there_is(client, model, sentence):
    client.create_registered_model("train")

    with pytest.raises(RequestError) as caught:
        resolve(model)

    assert str(caught.value) == sentence


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("model", ["bike", "bike/1"])
def test_an_empty_registry_says_so(model):
    with pytest.raises(RequestError, match="'bike'; no model is registered yet"):
        resolve(model)


@pytest.mark.usefixtures("bike")
def test_an_alias_that_is_not_set_is_none(client):
    assert find_alias("bike") == FIRST
    assert find_alias("bike", "previous") is None
    assert find_alias("car") is None

    client.delete_registered_model_alias("bike", "champion")
    assert find_alias("bike") is None


def test_a_deleted_version_is_unknown(client, add_version):
    add_version()
    add_version()
    client.delete_model_version("bike", "2")

    with pytest.raises(RequestError, match="no version 2 of 'bike'; its newest version is 1"):
        find_version("bike", 2)


def test_the_newest_complete_version_of_a_training_key_is_found(add_version):
    """A version without a digest is incomplete: its registration died."""
    add_version("bike", digest="d1", training_key=KEY)
    add_version("bike", digest="d2", training_key=KEY)
    add_version("bike", training_key=KEY)
    add_version("bike", digest="", training_key=KEY)
    add_version("bike", digest="other", training_key="6f" * 32)
    add_version("car", digest="car", training_key=KEY)

    assert find_trained("bike", KEY) == ModelVersion("bike", 2, "d2")
    assert find_trained("car", KEY) == ModelVersion("car", 1, "car")


def test_a_trained_version_has_its_aliases(client, add_version):
    """MLflow leaves them out of what a search returns."""
    add_version("bike", digest="d1", training_key=KEY)
    client.set_registered_model_alias("bike", "challenger", "1")

    assert find_trained("bike", KEY).aliases == ("challenger",)


def test_an_incomplete_version_is_never_taken_as_trained(add_version):
    add_version("bike", training_key=KEY)

    assert find_trained("bike", KEY) is None
    assert find_trained("car", KEY) is None


def test_models_are_listed_by_name_with_their_newest_version_and_aliases(client, add_version):
    for _ in range(4):
        add_version("train")
    client.delete_model_version("train", "4")
    client.set_registered_model_alias("train", "previous", "1")
    client.set_registered_model_alias("train", "champion", "2")
    client.create_registered_model("car")

    assert list_models() == [
        ListedModel("car", None, {}),
        ListedModel("train", 3, {"champion": 2, "previous": 1}),
    ]


@pytest.mark.usefixtures("client")
def test_an_empty_registry_lists_none():
    assert list_models() == []


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_of_any_characters_is_found(client, add_version, name):
    """Models of somebody else's may be called so, in the same registry."""
    add_version("bike", digest="bike", training_key=KEY)
    add_version(name, digest="odd", training_key=KEY)
    client.set_registered_model_alias(name, "champion", "1")

    expected = ModelVersion(name, 1, "odd", aliases=("champion",))
    assert resolve(name) == expected
    assert resolve(f"{name}/1") == expected
    assert find_trained(name, KEY) == expected
    assert find_trained("bike", KEY).digest == "bike"
    assert ListedModel(name, 1, {"champion": 1}) in list_models()


@pytest.mark.usefixtures("client")
def test_what_mlflow_cannot_do_is_an_error_of_one_sentence():
    with pytest.raises(AfterfitError, match=r"^The MLflow server at sqlite:.* failed: .*filter"):
        find_trained("bike", "a'b")

import os

import pytest
import yaml

from tasks.core.errors import RequestError
from tasks.core.spec.file import load_spec


def test_the_paths_of_a_spec_are_relative_to_its_folder(path, tmp_path):
    spec = load_spec(path)

    assert spec.data.source == f"{tmp_path}/small.csv"
    assert spec.scoring.source == f"{tmp_path}/small.csv"
    assert spec.scoring.output == f"{tmp_path}/scores"


@pytest.mark.parametrize(
    ("override", "field", "value"),
    [
        ("data.target=cnt", lambda spec: spec.data.target, "cnt"),
        ("data.target='007'", lambda spec: spec.data.target, "007"),
        ("data.drop=[a, b]", lambda spec: spec.data.drop, ("a", "b")),
        ("candidates.0.params.alpha=2.5", lambda spec: spec.candidates[0].params, {"alpha": 2.5}),
        ("gates.champion.margin=0.2", lambda spec: spec.gates.champion.margin, 0.2),
        ("gates.champion.margin=0.2", lambda spec: spec.gates.champion.metric, "mae"),
        ("gates.limits.mae={max: 60}", lambda spec: spec.gates.limits["mae"].max, 60.0),
        (
            "gates.limits={rmse: {max: 9}, r2: {min: 0.5, max: 1}}",
            lambda spec: sorted(spec.gates.limits),
            ["r2", "rmse"],
        ),
        ("scoring.output=/out/a=b", lambda spec: spec.scoring.output, "/out/a=b"),
        ("data.source=s3://bucket/x.csv", lambda spec: spec.scoring.source, "s3://bucket/x.csv"),
        ("data.source=/abs/x.csv", lambda spec: spec.data.source, "/abs/x.csv"),
        ("data.id=", lambda spec: spec.data.id, None),
    ],
)
def test_an_override_sets_one_field_to_a_yaml_value(path, override, field, value):
    spec = load_spec(path, [override])

    assert field(spec) == value


@pytest.mark.parametrize(
    ("scoring", "source", "output"),
    [
        (
            "{window: 1d, source: 'in/{window:%Y-%m-%d}/*.csv', output: 'out/{window:%Y/%m/%d}'}",
            "{folder}/in/{window:%Y-%m-%d}/*.csv",
            "{folder}/out/{window:%Y/%m/%d}",
        ),
        (
            (
                "{window: 1h, source: 's3://in/{window:%Y/%m/%d/%H}', "
                "output: 's3://out/{window:%Y%m%dT%H}'}"
            ),
            "s3://in/{window:%Y/%m/%d/%H}",
            "s3://out/{window:%Y%m%dT%H}",
        ),
        (
            "{window: 1w, output: '{window:%G-W%V}'}",
            "{folder}/small.csv",
            "{folder}/{window:%G-W%V}",
        ),
        (
            "{source: 'in/{date}.csv', output: 'out/{windows}'}",
            "{folder}/in/{date}.csv",
            "{folder}/out/{windows}",
        ),
    ],
)
def test_a_window_and_any_other_braces_stay_in_the_paths(path, scoring, source, output):
    found = load_spec(path, [f"scoring={scoring}"]).scoring
    folder = str(path.parent)
    window = yaml.safe_load(scoring).get("window")

    assert found.source == source.replace("{folder}", folder)
    assert found.output == output.replace("{folder}", folder)
    assert found.window == window


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a spec: it must hold fields"),
        (b"- a\n- b\n", "is not a spec"),
        (b"name: [a\nb: c", "cannot be read as YAML"),
        (b"name: caf\xe9", "cannot be read as YAML"),
        (b"!!python/object/apply:os.system [true]", "cannot be read as YAML"),
    ],
)
def test_what_is_no_spec_is_refused_in_one_line(path, content, words):
    path.write_bytes(content)
    with pytest.raises(RequestError, match=words) as refused:
        load_spec(path)

    assert "\n" not in str(refused.value)


def test_a_missing_spec_says_how_to_write_one(tmp_path):
    words = r"no spec .*none.yaml: `afterfit init TABLE --target COLUMN`"
    with pytest.raises(RequestError, match=words):
        load_spec(tmp_path / "none.yaml")


def test_a_folder_is_no_spec(tmp_path):
    with pytest.raises(RequestError, match="cannot be read"):
        load_spec(tmp_path)


def test_a_spec_that_is_a_pipe_is_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    with pytest.raises(RequestError, match=r"\.yaml' is a pipe, not a file: write what it holds"):
        load_spec(path)


@pytest.mark.parametrize(
    "field",
    [
        "data.id",
        "data.drop.0",
        "data.segment",
        "scoring.keep.0",
        "candidates.0.params.solver",
        "gates.leaks.0",
    ],
)
def test_a_secret_in_any_field_is_refused(path, field):
    """Runs have the whole spec as a parameter, and it is stored with the model."""
    planted = "https://ann:hunter2@h/x"
    name, is_list = field.removesuffix(".0"), field.endswith(".0")
    override = f"{name}=[{planted!r}]" if is_list else f"{name}={planted}"

    with pytest.raises(RequestError, match="https://h/x: leave user") as refused:
        load_spec(path, [override])
    assert "hunter2" not in str(refused.value)

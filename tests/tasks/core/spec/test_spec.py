import pytest
import yaml

from tasks.core.errors import RequestError
from tasks.core.spec.file import apply_override, load_spec
from tasks.core.spec.spec import Spec

SMALL = """\
name: small
problem: regression
data: {source: small.csv, target: y}
candidates:
  - estimator: sklearn.linear_model.Ridge
"""
ALL_LIMITS = "gates.limits={rmse: {max: 9}, r2: {min: 0.5, max: 1}}"


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    return file


def test_a_small_spec_has_the_defaults_of_its_problem(path, tmp_path):
    spec = load_spec(path)
    assert (
        spec.gates.champion.metric,
        spec.gates.champion.confidence,
        spec.gates.champion.margin,
    ) == (
        "mae",
        0.95,
        0.01,
    )
    assert (spec.scoring.source, spec.scoring.output) == (
        f"{tmp_path}/small.csv",
        f"{tmp_path}/scores",
    )
    assert (spec.scoring.on_existing, spec.scoring.proba, spec.scoring.keep) == (
        "replace",
        False,
        (),
    )
    assert spec.candidates[0].name == "Ridge"


def test_the_metric_of_a_classification_is_log_loss(path):
    changed = [
        "problem=classification",
        "candidates.0.estimator=sklearn.linear_model.LogisticRegression",
    ]
    assert load_spec(path, changed).gates.champion.metric == "log_loss"


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
        (ALL_LIMITS, lambda spec: sorted(spec.gates.limits), ["r2", "rmse"]),
        ("scoring.output=/out/a=b", lambda spec: spec.scoring.output, "/out/a=b"),
        ("data.source=s3://bucket/x.csv", lambda spec: spec.scoring.source, "s3://bucket/x.csv"),
        ("data.source=/abs/x.csv", lambda spec: spec.data.source, "/abs/x.csv"),
        ("data.id=", lambda spec: spec.data.id, None),
    ],
)
def test_an_override_sets_one_field_to_a_yaml_value(path, override, field, value):
    assert field(load_spec(path, [override])) == value


def test_overrides_apply_in_turn_and_leave_the_document_alone():
    document = {"data": {"target": "y", "drop": ["a"]}}
    changed = apply_override(apply_override(document, "data.drop.0=b"), "data.target=z")
    assert changed == {"data": {"target": "z", "drop": ["b"]}}
    assert document == {"data": {"target": "y", "drop": ["a"]}}


MISTAKES = [
    (
        "nmae=x",
        "nmae is not a field of the spec: known here are name, problem, data, candidates, gates, scoring",
    ),
    ("data.sorce=x", "data.sorce is not a field .* source, target, id, time, segment, drop"),
    ("gates.limits.mae.maximum=3", "gates.limits.mae.maximum is not a field .* min, max"),
    (
        "gates.champion.metrics=mae",
        "gates.champion.metrics is not a field .* metric, confidence, margin",
    ),
    ("candidates.0.parms={}", "candidates.0.parms is not a field .* estimator, params"),
    ("name=", "name is None"),
    ("name=a b", "name is 'a b': .*pattern"),
    ("name=-a", "name is '-a'"),
    (f"name={'a' * 101}", "name is 'a"),
    ("problem=clasification", "problem is 'clasification': .*'regression' or 'classification'"),
    ("problem=[regression]", "problem is .'regression'.: .*'regression' or 'classification'"),
    ("data=", "data is None"),
    ("data.target=3", "data.target is 3: .*string"),
    ("data.drop=a", "data.drop is 'a'"),
    ("data.drop=[y]", "`drop` holds the target 'y'"),
    ("data.id=y", "`id` and `target` are both 'y'"),
    ("data.time=y", "`time` and `target` are both 'y'"),
    ("data.segment=y", "`segment` and `target` are both 'y'"),
    ("candidates=[]", "candidates is .*at least 1"),
    ("candidates=Ridge", "candidates is 'Ridge'"),
    (
        "gates.limits={accuracy: {min: 1}}",
        "'accuracy' is not a metric of regression: use one of mae, rmse, r2",
    ),
    ("gates.limits={mae: {}}", "gates.limits.mae: a limit needs `min`, `max` or both"),
    ("gates.limits={mae: 60}", "gates.limits.mae is 60"),
    ("gates.limits={mae: {max: many}}", "gates.limits.mae.max is 'many': .*number"),
    ("gates.limits={mae: {min: 3, max: 1}}", "no figure is both at least 3 and at most 1"),
    (
        "gates.champion.metric=r2",
        "'r2' has no loss for each row of a regression: use one of mae, rmse",
    ),
    ("gates.champion.metric=log_loss", "use one of mae, rmse"),
    ("gates.champion.confidence=1", "gates.champion.confidence is 1: .*less than 1"),
    ("gates.champion.confidence=0.5", "gates.champion.confidence is 0.5: .*greater than 0.5"),
    ("gates.champion.confidence=.nan", "gates.champion.confidence is nan"),
    ("gates.champion.margin=-0.1", "gates.champion.margin is -0.1"),
    ("gates.segments.max_relative_loss=-1", "gates.segments.max_relative_loss is -1"),
    ("scoring.on_existing=append", "scoring.on_existing is 'append': .*'replace' or 'refuse'"),
    ("scoring.proba=maybe", "scoring.proba is 'maybe'"),
    ("scoring=", "scoring is None"),
    (
        "search={trials: 3}",
        "search over parameters is not part of this version: give each candidate fixed `params`",
    ),
    (
        "candidates.0.search={}",
        "candidates.0: a search over parameters is not part of this version",
    ),
    ("schedules={train: '0 3 * * 1'}", "schedules in a spec are not part of this version"),
    (
        "scoring.window=1M",
        "scoring.window: '1M' is no length of a window: .* 1d or 15m, .*months are not supported",
    ),
    ("scoring.window=60", "scoring.window: '60' is no length of a window"),
    ("scoring.window=[1d]", "scoring.window: .* is no length of a window"),
    (
        "scoring.window=1d",
        "scoring: `window` is '1d', and neither `source` nor `output` names a window: leave it out",
    ),
    (
        "scoring.source='in/{window:%Y}.csv'",
        "scoring: `source` is 'in/{window:%Y}.csv' and there is no `window`: give",
    ),
    (
        "scoring.output='out/{window:%j}'",
        "scoring: `output` is 'out/{window:%j}' and there is no `window`: give",
    ),
    (
        "scoring.output='out/{window}'",
        "scoring.output: .* without a format: write it as {window:%Y-%m-%d}",
    ),
    (
        "scoring.source='in/{window:%B}'",
        "scoring.source: .* holds %B: a window is written with %Y, .*%H",
    ),
    (
        "scoring={window: 1d, source: '{window:%Y-%m-%d}'}",
        "scoring: `output` is 'scores', where each .* name the window",
    ),
    (
        "scoring={window: 1h, output: 'o/{window:%Y-%m-%d}'}",
        "scoring: `output`: .* 1h need .*{window:%Y-%m-%dT%H}",
    ),
    (
        "scoring={window: 1h, output: '{window:%Y%m%d%H}', source: '{window:%H}'}",
        "scoring: `source`: '{window:%H}' is '00' both for 2023-12-25T00:00Z/.* and for 2023-12-26T00:00Z/",
    ),
    ("data.window=1d", "data.window is not a field of the spec"),
    (
        "data.source='in/{window:%Y}.csv'",
        "data.source: .* names a window, which only scoring.source and",
    ),
    ("data.target", "--set data.target: write it as FIELD=VALUE"),
    ("=3", "--set =3: write it as FIELD=VALUE"),
    ("data..target=3", "write it as FIELD=VALUE"),
    ("data.target=[", "is not YAML"),
    ("candidates.1.estimator=x", "'1' is not a position in a list of 1, counted from 0"),
    ("candidates.first.estimator=x", "'first' is not a position in a list of 1"),
    ("name.first=x", "'first' would be a field of 'small', which has none"),
]


@pytest.mark.parametrize(
    ("override", "words"), MISTAKES, ids=[override[:40] for override, _ in MISTAKES]
)
def test_a_mistake_is_one_sentence_that_names_the_field_and_what_it_may_be(path, override, words):
    with pytest.raises(RequestError, match=words) as refused:
        load_spec(path, [override])
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith((f"{path}: ", "--set "))


@pytest.mark.parametrize(
    ("scoring", "source", "output"),
    [
        (
            "{window: 1d, source: 'in/{window:%Y-%m-%d}/*.csv', output: 'out/{window:%Y/%m/%d}'}",
            "{folder}/in/{window:%Y-%m-%d}/*.csv",
            "{folder}/out/{window:%Y/%m/%d}",
        ),
        (
            "{window: 1h, source: 's3://in/{window:%Y/%m/%d/%H}', output: 's3://out/{window:%Y%m%dT%H}'}",
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
def test_a_window_and_any_other_braces_stay_in_the_paths_as_they_are_written(
    path, scoring, source, output
):
    found = load_spec(path, [f"scoring={scoring}"]).scoring
    folder = str(path.parent)
    assert (found.source, found.output) == (
        source.replace("{folder}", folder),
        output.replace("{folder}", folder),
    )
    assert found.window == yaml.safe_load(scoring).get("window")


@pytest.mark.parametrize("field", ["name", "problem", "data", "candidates"])
def test_a_field_that_must_be_there_is_named_when_it_is_not(path, field):
    document = yaml.safe_load(SMALL)
    del document[field]
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(RequestError, match=f": {field} is missing\\.$"):
        load_spec(path)


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
    with pytest.raises(
        RequestError, match=r"no spec .*none.yaml: `afterfit init TABLE --target COLUMN`"
    ):
        load_spec(tmp_path / "none.yaml")
    with pytest.raises(RequestError, match="cannot be read"):
        load_spec(tmp_path)


def test_a_spec_survives_json_and_does_not_change(path):
    spec = load_spec(path, [ALL_LIMITS, "candidates.0.params.alpha=2"])
    assert Spec.model_validate(spec.model_dump(mode="json")) == spec
    with pytest.raises(ValueError, match="frozen"):
        spec.name = "other"


def test_a_misspelt_field_is_named_rather_than_the_one_that_is_missing(tmp_path):
    path = tmp_path / "typo.yaml"
    path.write_text(
        "name: a\nproblem: regression\ndata: {source: t.csv, targt: y}\ncandidates: []\n",
        encoding="utf-8",
    )
    with pytest.raises(
        RequestError, match=r"data\.targt is not a field of the spec: known here are source, target"
    ):
        load_spec(path)

"""A registry that is not ours to trust: each thing of a version is set to something else in turn.

Each time the version is refused or scores as it did, and nothing outside our folders is touched.
"""

import json
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LinearRegression

from tasks.core.errors import AfterfitError, RequestError
from tasks.core.evaluation.verdict import Gate, Verdict, verdict_document
from tasks.core.model import open as opening
from tasks.core.model.metadata import describe_model
from tasks.core.model.open import open_metadata, open_model
from tasks.core.model.skops_file import save_pipeline
from tasks.core.spec.spec import Spec
from tasks.core.storage.names import lock_name
from tasks.core.tables.columns import Column
from tasks.core.tables.frames import to_frame
from tasks.core.tables.split import Split
from tasks.core.training.pipeline import build_pipeline
from tasks.registry.aliases import promote, rollback
from tasks.registry.client import connect
from tasks.registry.files import fetch, register
from tasks.registry.versions import find_version, list_models, resolve
from tasks.resolve import resolve_champion, resolve_previous, resolve_trained

KEYS = {1: "1a" * 32, 2: "2a" * 32}
EVIDENCE = ("verdict", "training_key", "judged_against", "promoted", "metrics", "candidate", "odd")
ROWS = pa.table({"x": [1.0, 2.0]})
SCORES = {1: [10.0, 20.0], 2: [20.0, 40.0]}  # the version times ten
FEATURES = (Column("x", "numeric"),)
SPEC = Spec.model_validate(
    {
        "name": "bike",
        "problem": "regression",
        "data": {"source": "/in/bike.csv", "target": "y"},
        "candidates": [{"estimator": "sklearn.linear_model.LinearRegression"}],
    }
)


def write_model(folder, number):
    """Write a model that predicts `10 * number * x`; the first passed its gates, no other did."""
    folder.mkdir()
    x = pa.table({"x": np.arange(5.0)})
    pipeline = build_pipeline(LinearRegression(), FEATURES)
    fitted = pipeline.fit(to_frame(x, FEATURES), 10 * number * np.arange(5.0))
    save_pipeline(fitted, folder / "model.skops")
    describe_model(SPEC, FEATURES, Split("hash", ("x",)), width=number).write(folder)

    gate = Gate("limits", passed=number == 1, found=1.0, allowed="", reason="")
    origin = {"training_key": KEYS[number], "judged_against": number - 1 or None}
    document = {**verdict_document(Verdict((gate,), 5)), **origin}
    (folder / "verdict.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def home(client, tmp_path):
    """The home, beside sentinels that nobody may touch; two versions are registered from it."""
    for number in (1, 2):
        tags = {"candidate": "Linear", "training_key": KEYS[number]}
        register("bike", write_model(tmp_path / f"model-{number}", number), tags, {})

    home = tmp_path / "home"
    for folder in (tmp_path / "outside", home / "victim", home / "models" / "victim"):
        folder.mkdir(parents=True)
        (folder / "sentinel").write_text("mine")
        (folder / "sentinel.lock").write_text("mine")
    home.chmod(0o700)
    return home


@pytest.fixture
def untouched(home, tmp_path):
    """Check at the end that the sentinels are there, and nothing beside them."""
    yield
    for folder in (tmp_path / "outside", home / "victim", home / "models" / "victim"):
        found = {path.name: path.read_text() for path in folder.iterdir()}
        assert found == {"sentinel": "mine", "sentinel.lock": "mine"}
    assert {path.name for path in home.iterdir()} <= {"victim", "models", "locks"}


def scores_of(model):
    """Score the rows with a version, as every command does, by the files in the home alone."""
    version = fetch(resolve(model))
    assert open_metadata(version).features == FEATURES
    predictions = open_model(version).score(ROWS).scores["prediction"]
    return predictions.to_numpy().round(6).tolist()


def set_tag(client, number, tag, value):
    """Set a tag of a version to something, or take it away."""
    if value is None:
        client.delete_model_version_tag("bike", str(number), tag)
    else:
        client.set_model_version_tag("bike", str(number), tag, value)


def values(tmp_path, other):
    """Return what somebody else may write: paths, too much, and what belongs to the other one."""
    return {
        "missing": None,
        "empty": "",
        "path": "../victim",
        "inside": "victim",
        "absolute": str(tmp_path / "outside"),
        "no digest": "0" * 63,
        "another digest": "0" * 64,
        "upper case": other.upper(),
        "huge": "9" * 4_999,
        "unicode": "\u202e\x1b[31m\n\uff15f",
        "the other version's": other,
    }


OFTEN = ("path", "unicode", "the other version's")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("fetched", [True, False])
def test_a_version_with_another_digest_is_refused(client, tmp_path, fetched):
    """Whether its own files, and those of the other version, are in the home already or not."""
    if fetched:
        assert scores_of("bike/1") == SCORES[1]
        assert scores_of("bike/2") == SCORES[2]

    own, other = find_version("bike", 2).digest, find_version("bike", 1).digest
    for value in values(tmp_path, other).values():
        set_tag(client, 2, "digest", "x")  # so that it can be taken away
        set_tag(client, 2, "digest", value)
        with pytest.raises(RequestError, match="bike version 2") as refused:
            scores_of("bike/2")
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) <= 500

    assert scores_of("bike/1") == SCORES[1]
    set_tag(client, 2, "digest", own)
    assert scores_of("bike/2") == SCORES[2]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("value", ["0" * 64, "../victim", ""])
def test_no_tag_keeps_a_champion_out_of_the_comparison_with_its_challengers(client, value):
    client.set_registered_model_alias("bike", "champion", "1")
    assert resolve_champion.fn("bike").problem == ""

    registered = find_version("bike", 1).digest
    set_tag(client, 1, "digest", value)
    with pytest.raises(RequestError, match=rf"bike version 1 .* set the tag to {registered}\.$"):
        resolve_champion.fn("bike")


@pytest.mark.usefixtures("untouched", "home")
def test_another_tag_changes_neither_the_scores_nor_what_is_known_of_a_version(client, tmp_path):
    before = fetch(resolve("bike/2"))
    assert (before.passed, before.judged_against, before.training_key) == (False, 1, KEYS[2])

    forged = values(tmp_path, KEYS[1])
    for tag, value in product(EVIDENCE, ["passed", *map(forged.get, OFTEN), None]):
        set_tag(client, 2, tag, "x")  # so that it can be taken away
        set_tag(client, 2, tag, value)
        found = fetch(resolve("bike/2"))
        known = (found.passed, found.judged_against, found.training_key, found.folder)
        assert known == (False, 1, KEYS[2], before.folder)
    assert [model.name for model in list_models()] == ["bike"]
    assert scores_of("bike/2") == SCORES[2]


@pytest.mark.usefixtures("home")
def test_the_evidence_of_another_model_lets_no_version_go_live(client):
    """Anybody can make a version from any run; its files score, and nothing speaks for them."""
    judged = find_version("bike", 1)
    source = client.get_model_version("bike", "1").source
    client.create_registered_model("boat")
    tags = {"digest": judged.digest}
    client.create_model_version("boat", source, judged.run_id, tags=tags)

    assert fetch(judged).passed
    assert not fetch(resolve("boat/1")).passed
    assert scores_of("boat/1") == SCORES[1]


@pytest.mark.usefixtures("untouched", "home")
def test_a_version_is_reused_only_for_the_training_that_its_files_name(client, tmp_path):
    assert resolve_trained.fn("bike", KEYS[2]).version == 2

    for value in values(tmp_path, KEYS[1]).values():
        set_tag(client, 2, "training_key", "x")  # so that it can be taken away
        set_tag(client, 2, "training_key", value)
        assert resolve_trained.fn("bike", KEYS[2]) is None
        assert resolve_trained.fn("bike", value or "x") is None

    set_tag(client, 2, "training_key", KEYS[2])
    set_tag(client, 2, "digest", "../victim")
    assert resolve_trained.fn("bike", KEYS[2]) is None


@pytest.mark.usefixtures("untouched", "home")
@pytest.mark.parametrize("alias", ["champion", "challenger", "previous", "odd"])
def test_an_alias_names_a_version_and_that_is_what_scores(client, alias):
    for number in (2, 1):
        client.set_registered_model_alias("bike", alias, str(number))
        assert scores_of(f"bike@{alias}") == SCORES[number]

    client.delete_registered_model_alias("bike", alias)
    with pytest.raises(RequestError, match="There is no alias"):
        scores_of(f"bike@{alias}")


ARTIFACTS = ["model.skops", "afterfit.json", "verdict.json", "more.py", "sub/more.json"]
CHANGES = {
    "other": lambda path, _: path.write_bytes(b"other"),
    "empty": lambda path, _: path.write_bytes(b""),
    "none": lambda path, _: path.unlink(missing_ok=True),
    "link": lambda path, outside: (path.unlink(missing_ok=True), path.symlink_to(outside)),
    "swapped": lambda path, _: swap(path),
}


def swap(path):
    """Put the other version's file in the place of one, if there is such a file."""
    own = Path(str(path).replace(str(stored(2)), str(stored(1))))
    if own.exists():
        shutil.copy(own, path)
    else:
        path.write_bytes(b"{}")


def stored(number):
    """Return the folder in which MLflow keeps the files of a version."""
    client = connect()
    run_id = client.get_model_version("bike", str(number)).run_id
    return Path(client.get_run(run_id).info.artifact_uri.removeprefix("file://")) / "model"


@pytest.mark.usefixtures("untouched", "home")
@pytest.mark.parametrize("change", CHANGES)
def test_a_version_with_other_artifacts_is_refused(change, tmp_path):
    whole = shutil.copytree(stored(2), tmp_path / "whole")
    for artifact in ARTIFACTS:
        path = stored(2) / artifact
        path.parent.mkdir(exist_ok=True)
        is_as_before = change == "none" and not path.exists()
        CHANGES[change](path, tmp_path / "outside" / "sentinel")

        if not is_as_before:
            with pytest.raises(AfterfitError, match=r"version 2 are not those|Failed to download"):
                scores_of("bike/2")
        shutil.rmtree(stored(2))
        shutil.copytree(whole, stored(2))

    assert scores_of("bike/2") == SCORES[2]
    assert scores_of("bike/1") == SCORES[1]


@pytest.mark.usefixtures("untouched", "home")
def test_a_version_that_was_fetched_scores_on_when_its_run_is_gone(client):
    assert scores_of("bike/2") == SCORES[2]
    client.delete_run(client.get_model_version("bike", "2").run_id)
    shutil.rmtree(stored(2))
    assert scores_of("bike/2") == SCORES[2]


@pytest.mark.usefixtures("home")
def test_a_version_that_names_the_run_of_another_is_that_other(client, tmp_path):
    """A copy of a version, with its digest, scores as that one; with another it is refused."""
    first = client.get_model_version("bike", "1")
    for tags in (dict(first.tags), {"digest": find_version("bike", 2).digest}):
        client.create_model_version("bike", first.source, first.run_id, tags=tags)

    assert scores_of("bike/3") == SCORES[1]
    with pytest.raises(RequestError, match="bike version 4 are not those that were registered"):
        scores_of("bike/4")


@pytest.mark.usefixtures("untouched")
def test_files_that_change_in_the_home_are_never_loaded(home, monkeypatch):
    """Not even between the check and the load: what was digested is what is loaded."""
    version = fetch(resolve("bike/2"))
    other = fetch(resolve("bike/1"))
    read_files = opening.read_files

    def read_and_swap(*arguments):
        files = read_files(*arguments)
        for name in ("model.skops", "afterfit.json"):
            shutil.copy(Path(other.folder) / name, Path(version.folder) / name)
        return files

    with monkeypatch.context() as patch:
        patch.setattr(opening, "read_files", read_and_swap)
        assert open_model(version).score(ROWS).scores["prediction"].to_pylist() == pytest.approx(
            SCORES[2]
        )

    with pytest.raises(RequestError, match="not those that were registered"):
        open_model(version)
    assert scores_of("bike/2") == SCORES[2]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("link", ["models", "the copy", "a file"])
def test_a_link_in_the_home_is_never_followed(home, tmp_path, link):
    """A folder of ours that leads elsewhere is refused; a copy that does is fetched again."""
    folder = Path(fetch(resolve("bike/2")).folder)
    outside = tmp_path / "outside"
    if link == "models":
        home.joinpath("models").rename(home / "moved")
        (home / "models").symlink_to(outside)
        with pytest.raises(RequestError, match=r"models' is a symbolic link"):
            scores_of("bike/2")
        (home / "models").unlink()
        home.joinpath("moved").rename(home / "models")
        return

    if link == "the copy":
        shutil.rmtree(folder)
        folder.symlink_to(outside)
    else:
        shutil.copy(folder / "model.skops", tmp_path / "same")
        (folder / "model.skops").unlink()
        (folder / "model.skops").symlink_to(tmp_path / "same")
    assert scores_of("bike/2") == SCORES[2]
    assert not folder.is_symlink()
    assert not (folder / "model.skops").is_symlink()


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", ["../victim/sentinel", "/etc/passwd", "..", "", "a\0b", "bike\n"])
def test_a_model_name_that_is_a_path_locks_nothing_elsewhere(home, tmp_path, name):
    outside = str(tmp_path / "outside" / "sentinel")
    for model in (name, outside):
        with pytest.raises(AfterfitError):
            rollback(model, "")
        with pytest.raises(AfterfitError):
            promote(model, 1, None, "")


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("target", ["folder", "file"])
def test_a_lock_that_is_a_link_is_refused(home, tmp_path, target):
    outside = tmp_path / "outside"
    if target == "folder":
        (home / "locks").symlink_to(outside)
    else:
        (home / "locks").mkdir()
        (home / "locks" / lock_name("bike")).symlink_to(outside / "sentinel.lock")

    with pytest.raises(AfterfitError, match=r"is a symbolic link|cannot be locked"):
        promote("bike", 1, None, "")
    assert resolve("bike/1").promoted is False


@pytest.mark.usefixtures("home")
def test_a_version_before_that_is_not_as_registered_is_no_way_back(client):
    assert resolve_previous.fn("bike") is None

    client.set_registered_model_alias("bike", "previous", "1")
    assert resolve_previous.fn("bike").passed is True

    set_tag(client, 1, "digest", "../victim")
    words = "bike cannot go back to version 1, .* `afterfit promote bike VERSION`"
    with pytest.raises(RequestError, match=words):
        resolve_previous.fn("bike")

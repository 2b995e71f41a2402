"""The floor predicts as the pipeline does, and the check finds who does not."""

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.__main__ import BENCHMARKS, find, parse
from benchmarks.command import take
from benchmarks.models import Trained
from benchmarks.peers import PEERS
from benchmarks.scripts import FOLDER, Script, check_same
from benchmarks.tables import TARGET, floats, gaps, with_target, write_source


def train(folder, make):
    """A small pipeline, as afterfit builds it, with its own predictions as a table."""
    from tasks.core.tables.columns import feature_columns
    from tasks.core.tables.frames import to_frame
    from tasks.core.training.candidates import make_estimator
    from tasks.core.training.pipeline import build_pipeline

    chance = np.random.default_rng(0)
    table = with_target(make(chance, 2_000), chance)
    features = feature_columns(table.schema, [TARGET])
    estimator = make_estimator("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 5})
    pipeline = build_pipeline(estimator, features)
    pipeline.fit(to_frame(table, features), table[TARGET].to_numpy())
    joblib.dump(pipeline, folder / "model.joblib")

    source = write_source(folder, make, 3_000)
    scores = predicted(pipeline, to_frame(pq.read_table(source), features))
    pq.write_table(scores, folder / "scores")
    return Trained("small", folder / "model.joblib", source, folder / "scores")


def predicted(pipeline, frame):
    """The table of a pipeline's predictions and probabilities."""
    first, second = pipeline.predict_proba(frame).T
    return pa.table(
        {
            "prediction": pipeline.predict(frame),
            "probability_0": first.copy(),
            "probability_1": second.copy(),
        }
    )


@pytest.mark.parametrize("make", [floats, gaps])
def test_the_floor_predicts_as_the_pipeline_to_the_last_bit(tmp_path, make):
    """Both with the library's own threads and with chunks side by side, row by row."""
    trained = train(tmp_path, make)

    for number, arguments in enumerate([(), ("2",)]):
        output = tmp_path / f"floor-{number}"
        take(Script("floor", arguments=arguments).score(trained.joblib, trained.source, output))
        assert pq.read_table(output) == pq.read_table(trained.scores)

    for _ in range(2):  # as two benchmarks of one model do
        check_same(trained, {"floor": Script("floor")})


def test_who_predicts_otherwise_in_a_single_bit_is_found(tmp_path):
    trained = train(tmp_path, floats)

    scores = pq.read_table(trained.scores)
    changed = scores["probability_1"].to_numpy().copy()
    changed[17] = np.nextafter(changed[17], 1)
    pq.write_table(scores.set_column(2, "probability_1", pa.array(changed)), trained.scores)

    with pytest.raises(RuntimeError, match="small: floor predicts otherwise than afterfit"):
        check_same(trained, {"floor": Script("floor")})


def test_every_benchmark_is_a_function_in_the_module_of_its_name():
    for name in BENCHMARKS:
        assert find(name).__module__ == f"benchmarks.{name}"


def test_every_peer_is_a_script_whose_requirements_are_pinned():
    """Names and versions, and nothing else: where from is the machine's own affair."""
    assert {path.stem for path in FOLDER.glob("*.txt")} == {*PEERS, "airflow_tasks"}

    for name in (*PEERS, "airflow_tasks"):
        assert (FOLDER / f"{name}.py").exists()
        lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        assert all(line.count("==") == 1 and "/" not in line for line in lines)


def test_an_unknown_benchmark_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        parse(["helf"])
    assert "there is no benchmark helf: there are help, " in capsys.readouterr().err

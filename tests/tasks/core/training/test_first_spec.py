from datetime import date

import pyarrow as pa
import pytest

from tasks.core.errors import RequestError
from tasks.core.spec.file import load_spec
from tasks.core.training.first_spec import write_first_spec

DAYS = [date(2024, 1, day) for day in range(1, 21)]
KEYS = [f"k{number}" for number in range(20)]
FIRST_SPEC = """\
# A spec: one model under management. `afterfit run h.yaml` trains, judges, registers and scores.
name: h
problem: regression          # guessed from the values of the target
data:
  source: hours.csv              # a file, a folder, a glob or a URL; relative to this file
  target: cnt
  id: id                 # guessed, as no value occurs twice: carried through, never a feature
  # time: COLUMN               # split by time; without it, by a hash
  # segment: COLUMN            # measured value by value
  drop: []                     # no features, above all what gives the target away
candidates:                      # fitted side by side; the best on held-out rows is judged
  - estimator: sklearn.ensemble.HistGradientBoostingRegressor
  - estimator: sklearn.linear_model.Ridge
gates:
  limits: {}                     # for example {mae: {max: 60}}
  champion: {metric: mae, confidence: 0.95, margin: 0.01}\
   # at most 1 % worse than the model in use
scoring:
  source: hours.csv              # what is scored; the same columns, the target apart
  output: h-scores
  keep: []                       # further columns to carry through to the scores
"""


def test_a_first_spec_explains_itself_in_comments(tmp_path, write):
    file = write("hours.csv", "id,cnt\n1,0.5\n2,1.5\n")
    path = tmp_path / "h.yaml"
    write_first_spec(file.path, "cnt", path)
    assert path.read_text() == FIRST_SPEC


@pytest.mark.parametrize("name", ["hours.csv", "hours.parquet"])
@pytest.mark.parametrize(
    ("target", "values", "problem"),
    [
        ("cnt", [number / 7 for number in range(20)], "regression"),
        ("yes", ["a", "b"] * 10, "classification"),
    ],
)
def test_a_first_spec_can_be_read_and_says_what_was_found(
    tmp_path, write, name, target, values, problem
):
    """Also where a column is named as YAML names a boolean."""
    table = pa.table({"key": KEYS, "day": DAYS, "x: y": range(20), target: values})
    content = table if name.endswith("parquet") else table.to_pandas().to_csv(index=False)
    file = write(name, content)
    path = tmp_path / "my model.yaml"
    write_first_spec(file.path, target, path)

    spec = load_spec(path)
    data = spec.data
    assert (spec.name, spec.problem) == ("my-model", problem)
    assert (data.target, data.id, data.time, data.drop) == (target, "key", "day", ())

    assert data.source == file.path
    assert f"source: {name}" in path.read_text()
    assert spec.scoring.output == str(tmp_path / "my-model-scores")


@pytest.mark.parametrize("stem", ["no", "2024", "2024-01-05", "null", "1e5"])
def test_a_first_spec_of_a_file_that_yaml_would_take_for_another_type_can_be_read(
    tmp_path, write, stem
):
    file = write(f"{stem}.csv", "id,cnt\n1,0.5\n2,1.5\n")
    path = tmp_path / f"{stem}.yaml"
    write_first_spec(file.path, "cnt", path)

    spec = load_spec(path)
    assert spec.name == stem
    assert spec.scoring.output == str(tmp_path / f"{stem}-scores")


def test_a_text_of_its_own_in_every_row_is_told_before_the_gates_refuse_it(tmp_path, write):
    rows = "".join(f"{n},u{n}@x.org,{n % 7},plan {n % 3}\n" for n in range(60))
    file = write("users.csv", f"user,email,age,plan\n{rows}")
    (note,) = write_first_spec(file.path, "age", tmp_path / "users.yaml")
    assert note == (
        "column 'email' is another text in every row, as an id is, which a gate refuses: add it to "
        "`data.drop`, or make it the `data.id`"
    )


def test_what_a_person_should_know_of_a_table_stands_in_the_first_spec(tmp_path, write):
    rows = "".join(f'{n},{n % 7},{n % 9}%,"${1000 + n:,}.50"\n' for n in range(30))
    file = write("rooms.csv", f",beds,rate,price\n{rows}")
    path = tmp_path / "rooms.yaml"
    notes = write_first_spec(file.path, "price", path)

    plainly = "write them as plain numbers, such as 1234.56"
    money = "text, and nearly all of its values are money amounts, such as '$1,000.50'"
    rates = "text, and nearly all of its values are percentages, such as '0%'"
    each = "each is a category of its own"
    assert notes == (
        f"the target is {money}: {plainly}, and set `problem: regression`",
        "column '' counts the rows: it is no feature (`data.id` may name it)",
        f"column 'rate' is {rates}: {each}; {plainly}, if that is what they are",
    )
    written = path.read_text(encoding="utf-8")
    assert [line for line in written.splitlines() if "NOTE" in line] == [
        f"  # NOTE: {note}" for note in notes
    ]
    spec = load_spec(path)
    assert (spec.problem, spec.data.id, spec.data.drop) == ("regression", None, ("",))


def test_an_unnamed_id_is_written_as_the_name_that_it_is(tmp_path, write):
    file = write("in.csv", ",cnt\na,1\nb,2\n")
    path = tmp_path / "in.yaml"
    assert write_first_spec(file.path, "cnt", path) == ()
    assert load_spec(path).data.id == ""


def test_no_first_spec_is_written_over_another_file(tmp_path, write):
    file = write("hours.csv", "id,cnt\n1,2\n")
    path = tmp_path / "hours.yaml"
    path.write_text("mine")
    with pytest.raises(RequestError, match="exists already"):
        write_first_spec(file.path, "cnt", path)
    assert path.read_text() == "mine"


def test_no_first_spec_is_written_through_a_link(tmp_path, write):
    file = write("hours.csv", "id,cnt\n1,2\n")
    path = tmp_path / "hours.yaml"
    path.symlink_to("elsewhere.yaml")
    with pytest.raises(RequestError, match="exists already"):
        write_first_spec(file.path, "cnt", path)
    assert not path.exists()


def test_no_first_spec_is_written_over_a_file_that_came_meanwhile(tmp_path, write, monkeypatch):
    file = write("hours.csv", "id,cnt\n1,2\n")
    path = tmp_path / "hours.yaml"
    path.write_text("mine")
    monkeypatch.setattr("os.path.lexists", lambda _: False)
    with pytest.raises(RequestError, match="exists already"):
        write_first_spec(file.path, "cnt", path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("target", "output", "words"),
    [
        ("ctn", "hours.yaml", "Column 'ctn' is not in .*did you mean 'cnt'"),
        ("cnt", "nowhere/hours.yaml", "There is no folder .*nowhere to write the spec to"),
    ],
)
def test_no_first_spec_is_written_without_its_target_or_folder(
    tmp_path, write, target, output, words
):
    file = write("hours.csv", "id,cnt\n1,2\n")
    with pytest.raises(RequestError, match=words):
        write_first_spec(file.path, target, tmp_path / output)
    assert not (tmp_path / output).exists()

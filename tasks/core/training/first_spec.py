"""A first spec, written from a table, with comments."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import yaml

from tasks.core.errors import RequestError
from tasks.core.metrics import Problem
from tasks.core.tables.columns import kind_of
from tasks.core.tables.csv_files import read_csv
from tasks.core.tables.key_columns import add_keys, key_values
from tasks.core.tables.listing import list_source
from tasks.core.tables.parquet import read_parquet
from tasks.core.tables.targets import target_advice
from tasks.core.tables.written_values import look_at_text
from tasks.core.training.guesses import Roles, guess_problem, guess_roles
from tasks.core.training.notes import describe_features, describe_left_out
from tasks.core.training.row_counters import names_rows
from tasks.core.wording import nearest_name

# What a first spec suggests for each problem: two candidates, and the metrics of its gates.
SUGGESTED: dict[Problem, dict[str, str]] = {
    "regression": {
        "first": "sklearn.ensemble.HistGradientBoostingRegressor",
        "second": "sklearn.linear_model.Ridge",
        "metric": "mae",
        "limit": "{mae: {max: 60}}",
    },
    "classification": {
        "first": "sklearn.ensemble.HistGradientBoostingClassifier",
        "second": "sklearn.linear_model.LogisticRegression\n    params: {max_iter: 1000}",
        "metric": "log_loss",
        "limit": "{accuracy: {min: 0.9}}",
    },
}
WHY_ID = "guessed, as no value occurs twice: carried through, never a feature"
TEXT = """\
# A spec: one model under management. `afterfit run {file}` trains, judges, registers and scores.
name: {name}
problem: {problem}{problem_why}
data:
  source: {source}              # a file, a folder, a glob or a URL; relative to this file
  target: {target}
{more}candidates:                      # fitted side by side; the best on held-out rows is judged
  - estimator: {first}
  - estimator: {second}
gates:
  limits: {{}}                     # for example {limit}
  champion: {{metric: {metric}, confidence: 0.95, margin: 0.01}}\
   # at most 1 % worse than the model in use
scoring:
  source: {source}              # what is scored; the same columns, the target apart
  output: {output}
  keep: []                       # further columns to carry through to the scores
"""


def write_first_spec(source: str, target: str, path: Path) -> tuple[str, ...]:
    """Write a first spec for a table; return what a person should know of its columns.

    Raises:
        RequestError: the file exists, its folder does not, or the table lacks the target.
    """
    if os.path.lexists(path):
        raise _exists_already(path)
    if not path.parent.is_dir():
        raise RequestError(
            f"There is no folder {path.parent} to write the spec to: "
            "name another file with --output."
        )

    listing = list_source(source)
    file = listing.files[0]
    table = read_csv(file) if file.format == "csv" else read_parquet(file.path, file.revision)
    table = add_keys(table, key_values(file.path, listing.keys))
    if target not in table.column_names:
        hint = nearest_name(target, table.column_names)
        raise RequestError(f"Column {target!r} is not in {source}{hint}")

    roles = guess_roles(table, target)
    notes = describe_table(table, target, roles)
    content = first_spec(table, source, target, path, roles, notes)
    try:
        with path.open("x", encoding="utf-8") as written:
            written.write(content)
    except FileExistsError as error:
        raise _exists_already(path) from error
    return notes


def _exists_already(path: Path) -> RequestError:
    return RequestError(
        f"{path} exists already: name another file with --output, or edit that one."
    )


def describe_table(table: pa.Table, target: str, roles: Roles) -> tuple[str, ...]:
    """Return notes on the target, the columns that are dropped, and the features."""
    others = {target, roles.id, *roles.drop}
    features = [name for name in table.column_names if name not in others]

    notes = [*describe_left_out(roles.counters), *describe_features(table, features)]
    notes += [
        f"column {name!r} is another text in every row, as an id is, which a gate refuses: add it "
        "to `data.drop`, or make it the `data.id`"
        for name in features
        if names_rows(table[name])
    ]
    written = look_at_text(table[target])
    if written is not None:
        notes.insert(0, f"the target is text, and {written.found}: {target_advice(written)}")
    return tuple(notes)


def first_spec(
    table: pa.Table, source: str, target: str, path: Path, roles: Roles, notes: Sequence[str]
) -> str:
    """Return the content of a first spec that is to be written to a path."""
    problem = guess_problem(table[target])
    why = "          # guessed from the values of the target"
    name = _model_name(path.stem)
    is_clear = kind_of(table[target].type) != "numeric" and problem == "classification"

    return TEXT.format(
        file=path.name,
        name=_quoted(name),
        output=_quoted(f"{name}-scores"),
        problem=problem,
        problem_why="" if is_clear else why,
        source=_quoted(_relative_source(source, path.resolve().parent)),
        target=_quoted(target),
        more=_role_lines(roles) + "".join(f"  # NOTE: {note}\n" for note in notes),
        **SUGGESTED[problem],
    )


def _role_lines(roles: Roles) -> str:
    id_line = "  # id: COLUMN                 # carried through to the scores"
    if roles.id is not None:
        id_line = f"  id: {_quoted(roles.id)}                 # {WHY_ID}"
    time_line = "  # time: COLUMN               # split by time; without it, by a hash"
    if roles.time is not None:
        time = _quoted(roles.time)
        time_line = f"  time: {time}                 # the newest fifth of the rows judges"
    segment_line = "  # segment: COLUMN            # measured value by value"
    drop = ", ".join(_quoted(name) for name in roles.drop)
    why_drop = "no features, above all what gives the target away"
    drop_line = f"  drop: [{drop}]                     # {why_drop}"

    return f"{id_line}\n{time_line}\n{segment_line}\n{drop_line}\n"


def _relative_source(source: str, folder: Path) -> str:
    """Return the path of a source from the folder of its spec, if it is inside."""
    path = Path(source)
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else source


def _model_name(stem: str) -> str:
    """Return a name that a spec may have, from the name of its file.

    >>> _model_name("my model"), _model_name("東京")
    ('my-model', 'model')
    """
    dashed = re.sub("[^A-Za-z0-9]", "-", stem)
    return dashed.strip("-") or "model"


def _quoted(string: str) -> str:
    """Return a string as YAML writes it, in quotes only where it needs them.

    >>> _quoted("cnt"), _quoted("yes"), _quoted("a: b")
    ('cnt', "'yes'", "'a: b'")
    """
    written = yaml.safe_dump([string], default_flow_style=True, width=10_000, allow_unicode=True)
    return str(written).strip()[1:-1]

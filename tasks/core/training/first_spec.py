"""A first spec, written from a table, with comments."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from tasks.core.errors import RequestError
from tasks.core.metrics import Problem
from tasks.core.tables.columns import kind_of
from tasks.core.tables.csv_files import read_csv
from tasks.core.tables.open_source import open_source
from tasks.core.tables.parquet import read_parquet
from tasks.core.wording import nearest_name

MOST_CLASSES = 20
CANDIDATES: dict[Problem, tuple[str, str]] = {
    "regression": ("sklearn.ensemble.HistGradientBoostingRegressor", "sklearn.linear_model.Ridge"),
    "classification": (
        "sklearn.ensemble.HistGradientBoostingClassifier",
        "sklearn.linear_model.LogisticRegression\n    params: {max_iter: 1000}",
    ),
}
TEXT = """\
# A spec: one model under management. `afterfit run {file}` trains, judges, registers and scores.
name: {name}
problem: {problem}{problem_why}
data:
  source: {source}              # a file, a folder, a glob or a URL; relative to this file
  target: {target}
{roles}candidates:                      # fitted side by side; the best on held-out rows is judged
  - estimator: {first}
  - estimator: {second}
gates:
  limits: {{}}                     # for example {limit}
  champion: {{metric: {metric}, confidence: 0.95, margin: 0.01}}   # at most 1 % worse than the model in use
scoring:
  source: {source}              # what is scored; the same columns, the target apart
  output: {name}-scores
  keep: []                       # further columns to carry through to the scores
"""


@dataclass(frozen=True)
class Roles:
    """What the columns of a table seem to be for."""

    id: str | None
    time: str | None
    drop: tuple[str, ...]


def write_first_spec(source: str, target: str, path: Path) -> None:
    """Write a spec for a table next to it.

    Raises:
        RequestError: the file exists, or the table lacks the target.
    """
    if path.exists():
        raise RequestError(
            f"{path} exists already: name another file with --output, or edit that one."
        )
    if not path.parent.is_dir():
        raise RequestError(
            f"There is no folder {path.parent} to write the spec to: name another file with --output."
        )
    file = open_source(source).files[0]
    table = read_csv(file) if file.format == "csv" else read_parquet(file.path)
    if target not in table.column_names:
        raise RequestError(
            f"Column {target!r} is not in {source}{nearest_name(target, table.column_names)}"
        )
    path.write_text(first_spec(table, source, target, path), encoding="utf-8")


def first_spec(table: pa.Table, source: str, target: str, path: Path) -> str:
    """Give the text of a first spec."""
    problem = guess_problem(table[target])
    roles = guess_roles(table, target)
    first, second = CANDIDATES[problem]
    folder = path.resolve().parent
    shown = str(Path(source).relative_to(folder)) if Path(source).is_relative_to(folder) else source
    stem = "".join(
        letter if letter.isalnum() and letter.isascii() else "-" for letter in path.stem
    ).strip("-")
    return TEXT.format(
        file=path.name,
        name=stem or "model",
        problem=problem,
        problem_why=""
        if kind_of(table[target].type) != "numeric"
        else "          # guessed from the values of the target",
        source=_quoted(shown),
        target=_quoted(target),
        roles=_role_lines(roles),
        first=first,
        second=second,
        metric="mae" if problem == "regression" else "log_loss",
        limit="{mae: {max: 60}}" if problem == "regression" else "{accuracy: {min: 0.9}}",
    )


def guess_problem(target: pa.ChunkedArray) -> Problem:
    """Guess the problem: texts, booleans and a few whole numbers are classes.

    >>> guess_problem(pa.chunked_array([[0, 1, 1, 0]])), guess_problem(pa.chunked_array([[0.5, 1.5]]))
    ('classification', 'regression')
    """
    if kind_of(target.type) != "numeric":
        return "classification"
    whole = pa.types.is_integer(target.type)
    few = whole and pc.count_distinct(target).as_py() <= MOST_CLASSES
    return "classification" if few else "regression"


def guess_roles(table: pa.Table, target: str) -> Roles:
    """Guess the id (a first column that never repeats), the time (the first date), and what no
    model can use.
    """
    names = [name for name in table.column_names if name != target]
    kinds = {name: kind_of(table[name].type) for name in names}
    first = table[names[0]] if names else None
    distinct = (
        first is not None and not pa.types.is_floating(first.type) and kinds[names[0]] is not None
    )
    distinct = (
        distinct and first is not None and not pa.types.is_dictionary(first.type)
    )  # no kernel counts these
    unique = distinct and first is not None and pc.count_distinct(first).as_py() == len(table) > 1
    return Roles(
        id=names[0] if unique and kinds[names[0]] != "date" else None,
        time=next(
            (name for name in names if kinds[name] == "date" and not table[name].null_count), None
        ),
        drop=tuple(name for name in names if kinds[name] is None),
    )


def _role_lines(roles: Roles) -> str:
    drop = "[" + ", ".join(_quoted(name) for name in roles.drop) + "]"
    lines = [
        f"  id: {_quoted(roles.id)}"
        if roles.id
        else "  # id: COLUMN                 # carried through to the scores",
        f"  time: {_quoted(roles.time)}                 # the newest fifth of the rows judges"
        if roles.time
        else "  # time: COLUMN               # split by time; without it, by a hash",
        "  # segment: COLUMN            # measured value by value",
        f"  drop: {drop}                     # no features, above all what gives the target away",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Write a text as YAML would, in quotes only where it needs them.

    >>> _quoted("cnt"), _quoted("yes"), _quoted("a: b")
    ('cnt', "'yes'", "'a: b'")
    """
    return str(
        yaml.safe_dump([text], default_flow_style=True, width=10_000, allow_unicode=True)
    ).strip()[1:-1]

"""Score a bundle of pieces: the task that runs on every worker."""

import threading
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from joblib import cpu_count
from prefect.logging import get_run_logger

from tasks.core.card import MODEL, check_files, read_card
from tasks.core.errors import AfterfitError
from tasks.core.manifest import Part, part_name
from tasks.core.models import load_pipeline
from tasks.core.pieces import Bundle, Piece
from tasks.core.plan import Run
from tasks.core.predictor import make_predictor
from tasks.core.quarantine import INPUT, INPUT_ROW, PROBLEM
from tasks.core.reader import Reader
from tasks.core.scorer import Scored, Scorer, columns_read
from tasks.core.staging import Staging, finished_part, input_slices, write_part
from tasks.core.threads import one_thread
from tasks.uncached import uncached_task

EXAMPLES = 3
_cores = threading.BoundedSemaphore(cpu_count())  # windows that are scored side by side share them
_loading = threading.Lock()
_loaded: dict[Run, Scorer] = {}


@uncached_task(task_run_name="score rows {bundle.start:,} to {bundle.last:,}")
def score_bundle(bundle: Bundle, run: Run, staging: Staging) -> tuple[Part, ...]:
    """Score each piece of a bundle into its part; parts that are finished already stay."""
    card = read_card(Path(run.model.folder))
    copied = bundle.pieces[0].slices[0].path != bundle.pieces[0].slices[0].origin
    reader = Reader([*columns_read(card.features, run.id, run.keep), *([PROBLEM] if copied else [])])
    with closing(reader), one_thread():
        parts = tuple(score_piece(piece, run, staging, reader) for piece in bundle.pieces)
    get_run_logger().info("scored %s rows in %s pieces", f"{bundle.rows:,}", len(parts))
    return parts


def score_piece(piece: Piece, run: Run, staging: Staging, reader: Reader) -> Part:
    """Read, score and write the rows of one piece.

    Raises:
        AfterfitError: with the file and the rows, where they cannot be read or scored.
    """
    name = part_name(run.key, piece.number)
    if part := finished_part(staging, name, input_slices(piece)):
        return part
    table = reader.read(piece)
    scorer = load_scorer(run, table)
    try:
        with _cores:
            scored = scorer.score(table, piece.first_row)
    except AfterfitError as error:
        where = f"{piece.slices[0]}" + (f", to {piece.slices[-1]}" if len(piece.slices) > 1 else "")
        raise AfterfitError(f"{where}: {error}") from error
    return write_part(staging, describe_part(name, piece, scored, scorer), scored.scores, locate(scored, piece))


def describe_part(name: str, piece: Piece, scored: Scored, scorer: Scorer) -> Part:
    """Describe the part of a piece before its files are written."""
    first = sorted(scored.rejections)[:EXAMPLES]
    return Part(
        name=name,
        rows=len(scored.scores),
        size=0,
        sha256=None,
        slices=input_slices(piece),
        scored_by=scorer.predictor.scored_by,
        note=scorer.predictor.note,
        quarantined=len(scored.rejections),
        reasons=dict(Counter(rejection.reason for rejection in scored.rejections.values())),
        unknown=scored.unknown,
        examples=tuple(example(piece, row, scored) for row in first),
    )


def example(piece: Piece, row: int, scored: Scored) -> str:
    """Name a rejected row for a person."""
    origin, number = piece.locate(row)
    rejection = scored.rejections[row]
    return f"row {number:,} (from 0) of {origin} ({rejection.reason}: {rejection.detail})"


def locate(scored: Scored, piece: Piece) -> pa.Table | None:
    """Give the rejected rows with the file each stands in, and its row there, counted from 0."""
    if scored.rejected is None:
        return None
    places = [piece.locate(row) for row in sorted(scored.rejections)]
    rejected = scored.rejected.add_column(0, INPUT_ROW, pa.array([row for _, row in places], pa.int64()))
    return rejected.add_column(0, INPUT, pa.array([origin for origin, _ in places], pa.string()))


def load_scorer(run: Run, rows: pa.Table) -> Scorer:
    """Load the model of a run, once in each worker; the tree kernel is tried on the first rows that come."""
    same = replace(run, output="", key="", max_bad_rows=0)  # windows that are scored side by side share a model
    with _loading:
        if same not in _loaded:
            check_files(run.model)
            card = read_card(Path(run.model.folder))
            pipeline = load_pipeline(Path(run.model.folder) / MODEL)
            tried = rows if run.kernel else None
            predictor = make_predictor(pipeline, card.features, tried, proba=run.proba)
            _loaded.clear()
            _loaded[same] = Scorer(predictor, run.model.version, run.id, run.keep, run.proba)
        return _loaded[same]


def forget_scorers() -> None:
    """Let the model go that `load_scorer` keeps in this process."""
    with _loading:
        _loaded.clear()

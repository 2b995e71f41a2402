"""The summary of a scoring run: its manifest."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq

from tasks.core.model.predictor import KERNEL
from tasks.core.output.manifest import Manifest, Part, describe
from tasks.core.output.staging import Staging
from tasks.core.scoring.plan import Planned
from tasks.core.storage.files import open_binary
from tasks.core.storage.location import join
from tasks.core.tables.inputs import Input
from tasks.core.tables.sources import Source
from tasks.core.wording import counted


@dataclass(frozen=True)
class Attempt:
    """The attempt that commits: its flow run, how often that was tried, the window, and where below
    OUTPUT it wrote.
    """

    flow_run: str
    number: int
    window: str | None
    folder: str


def make_manifest(
    planned: Planned,
    source: Source,
    inputs: tuple[Input, ...],
    parts: Sequence[Part],
    staging: Staging,
    attempt: Attempt,
) -> Manifest:
    """Write down what the output is made of."""
    run = planned.run
    scored = [part for part in parts if part.sha256]
    with open_binary(join(staging.parts, scored[0].name)) as file:
        schema = describe(pq.read_schema(file))
    return Manifest(
        model=run.model.name,
        version=run.model.version,
        model_digest=run.model.digest,
        run_key=run.key,
        source_identity=source.identity,
        inputs=inputs,
        parts=tuple(parts),
        schema=schema,
        rows_in=planned.plan.rows,
        rows_scored=sum(part.rows for part in parts),
        rows_quarantined=sum(part.quarantined for part in parts),
        flow_run=attempt.flow_run,
        attempt=attempt.number,
        window=attempt.window,
        folder=attempt.folder,
        notes=(*planned.plan.notes, *describe_parts(parts)),
    )


def describe_parts(parts: Sequence[Part]) -> list[str]:
    """Note how the rows were scored, and which values the model did not know."""
    by = Counter[str]()
    unknown = Counter[str]()
    for part in parts:
        by[part.scored_by] += part.rows
        unknown.update(part.unknown)
    reasons = sorted({part.note for part in parts if part.note})
    return [
        *(f"{counted(rows, 'row')} scored by {what}" for what, rows in by.items()),
        *(f"not by the {KERNEL}: {reason}" for reason in reasons),
        *(
            f"column {name!r}: {counted(count, 'value')} in no category the model knows"
            for name, count in unknown.items()
        ),
    ]

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
from tasks.core.wording import counted


@dataclass(frozen=True)
class Attempt:
    """The attempt that commits.

    `flow_run` is the id of its flow run, `number` how often that was tried. `window` is what the
    run is about. `folder` is where the parts lie below the output.
    """

    flow_run: str
    number: int
    window: str | None
    folder: str


def make_manifest(
    planned: Planned,
    source_identity: str,
    inputs: tuple[Input, ...],
    parts: Sequence[Part],
    staging: Staging,
    attempt: Attempt,
) -> Manifest:
    """Return the manifest: what the output is made of, and what it was made from."""
    run = planned.run
    scored = [part for part in parts if part.sha256]
    with open_binary(join(staging.parts, scored[0].name)) as file:
        schema = describe(pq.read_schema(file))

    return Manifest(
        model=run.options.model.name,
        version=run.options.model.version,
        model_digest=run.options.model.digest,
        run_key=run.destination.run_key,
        source_identity=source_identity,
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
    rows_by = Counter[str]()
    unknown = Counter[str]()
    for part in parts:
        rows_by[part.scored_by] += part.rows
        unknown.update(part.unknown)

    reasons = sorted({part.note for part in parts if part.note})

    scored = [f"{counted(rows, 'row')} scored by {what}" for what, rows in rows_by.items() if rows]
    slower = [f"not by the {KERNEL}: {reason}" for reason in reasons]
    strange = [
        f"column {name!r}: {counted(count, 'value')} in no category the model knows"
        for name, count in unknown.items()
    ]
    return [*scored, *slower, *strange]

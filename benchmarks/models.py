"""Models: trained through afterfit itself, and exported for the scripts that know nothing of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import joblib

from benchmarks.command import take
from benchmarks.contest import tell
from benchmarks.tables import TARGET, Maker, write_source, write_training
from benchmarks.workshop import Workshop
from tasks.core.model.skops_file import load_pipeline

CHECKED_ROWS = 300_000


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be learned and scored, of what kind of table.

    `title` says it in a row of the results.
    """

    name: str
    title: str
    make: Maker
    estimator: str
    params: Mapping[str, Any]
    train_rows: int = 100_000

    def spec(self, source: Path) -> dict[str, Any]:
        """Return the spec that afterfit trains it by."""
        return {
            "name": self.name,
            "problem": "classification",
            "data": {"source": str(source), "target": TARGET},
            "candidates": [{"estimator": self.estimator, "params": dict(self.params)}],
            "scoring": {"proba": True},
        }


@dataclass(frozen=True)
class Trained:
    """A registered champion, and the same pipeline as a joblib file.

    With them are a small source and afterfit's scores of it.
    """

    name: str
    joblib: Path
    source: Path
    scores: Path


@cache
def train(workshop: Workshop, task: Task) -> Trained:
    """Train a task, once in each workshop."""
    tell(f"training {task.name}")
    folder = workshop.scratch / task.name
    folder.mkdir(parents=True)
    spec = folder / "spec.yaml"
    training = write_training(folder, task.make, task.train_rows)
    document = json.dumps(task.spec(training))  # JSON is YAML too
    spec.write_text(document, encoding="utf-8")

    source = write_source(workshop.folder, task.make, CHECKED_ROWS)
    scores = folder / "scores"
    home = workshop.home
    known = _fetched(home.folder)
    take(home.afterfit("train", spec))
    take(home.afterfit("score", task.name, source, scores))

    (fetched,) = _fetched(home.folder) - known
    exported = folder / "model.joblib"
    joblib.dump(load_pipeline(fetched), exported)
    return Trained(task.name, exported, source, scores)


def _fetched(home: Path) -> set[Path]:
    """List the model files that scoring has fetched from the registry."""
    return set(home.glob("models/*/model.skops"))
